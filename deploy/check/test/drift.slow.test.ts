import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { render } from '@gatehouse/kubernetes'
import { programForTest } from '@gatehouse/testkit'

const committed = fileURLToPath(new URL('../../kubernetes/rendered', import.meta.url))

async function filesOf(folder: string): Promise<Readonly<Record<string, string>>> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.yaml')).sort()
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')])))
}

test('what is committed is what the overlays render to', async (t) => {
  const kustomize = await programForTest(t, 'kustomize')
  if (!kustomize) return
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-rendered-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  await render(kustomize.path, folder)
  const [now, then] = [await filesOf(folder), await filesOf(committed)]
  assert.deepEqual(Object.keys(now), Object.keys(then), '`npm run render` makes other files')
  for (const [name, text] of Object.entries(now)) assert.equal(then[name], text, `${name} is not what it was made of: \`npm run render\``)
})
