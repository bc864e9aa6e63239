import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { bringDebianProgram } from './bring-program.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse programs '))
})
after(() => rm(folder, { recursive: true, force: true }))

async function script(name: string, says: string): Promise<string> {
  const file = join(folder, name)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, `#!/bin/sh\n${says}\n`, { mode: 0o755 })
  return file
}

test('takes a program on PATH that is new enough', async () => {
  const file = await script('path/pgbouncer', 'echo PgBouncer 1.21.0')
  assert.deepEqual(await bringDebianProgram('pgbouncer', { path: dirname(file), cacheDir: join(folder, 'none') }), {
    path: file,
    version: '1.21.0',
  })
})

test('passes over an old one for one that was brought earlier, and over what does not run', async () => {
  const old = await script('old/kustomize', 'echo v4.5.7')
  await script('kept/kustomize-5.9.0+ds-1/usr/bin/kustomize', 'exit 127')
  const kept = await script('kept/kustomize-5.8.1+ds-1/usr/bin/kustomize', "echo '(devel)'")
  assert.deepEqual(await bringDebianProgram('kustomize', { path: dirname(old), cacheDir: join(folder, 'kept') }), {
    path: kept,
    version: '5.8.1+ds-1',
  })
})
