import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { differences, replace } from './compare-trees.ts'

function tree(t: TestContext, files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'compare-trees-'))
  t.after(() => rmSync(root, { recursive: true }))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

test('names what changed, came and went, and nothing else', (t) => {
  const before = tree(t, { 'src/a.ts': '1', 'src/b/c.ts': '1', 'src/gone.ts': '1', 'other/x.ts': '1', page: '1' })
  const after = tree(t, { 'src/a.ts': '1', 'src/b/c.ts': '2', 'src/b/new.ts': '1', page: '2' })
  assert.deepEqual(differences(before, after, 'src'), ['src/b/c.ts', 'src/b/new.ts', 'src/gone.ts'])
  assert.deepEqual(differences(before, after, 'page'), ['page'])
  assert.deepEqual(differences(before, after, 'nothing'), [])
  assert.equal(readFileSync(join(before, 'src/b/c.ts'), 'utf8'), '1', 'comparing changes nothing')
})

test('brings a tree up to date', (t) => {
  const before = tree(t, { 'src/a.ts': '1', 'src/gone.ts': '1' })
  const after = tree(t, { 'src/a.ts': '2', 'src/b/new.ts': '1' })
  for (const path of differences(before, after, 'src')) replace(before, after, path)
  assert.deepEqual(differences(before, after, 'src'), [])
  assert.equal(existsSync(join(before, 'src/gone.ts')), false)
})
