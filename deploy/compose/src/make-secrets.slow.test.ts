import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { deploy, makeSecrets } from './make-secrets.ts'

test('the script has the command make a workload key for each service, and one set of public ones', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-secrets-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  makeSecrets(folder, `${process.execPath} ${join(deploy, '../packages/cli/src/main.ts')}`)
  const read = (name: string) => JSON.parse(readFileSync(join(folder, 'secrets', name), 'utf8'))
  const { keys } = read('workload_jwks') as { keys: { kid: string; d?: string }[] }
  assert.deepEqual(
    keys.map(({ kid, d }) => [kid, d]),
    ['user', 'auth', 'notification'].map((name) => [read(`${name}_workload_key`).kid, undefined]),
  )
})
