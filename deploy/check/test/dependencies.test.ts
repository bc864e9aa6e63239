import assert from 'node:assert/strict'
import { glob, readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { reaches } from '../src/dependencies.ts'
import { declared, isRequired } from '../src/services.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

test('every variable that holds an address says whom it reaches', () => {
  for (const [service, { variables }] of Object.entries(declared))
    for (const name of Object.keys(variables))
      if (/_(URL|ENDPOINT|HOST)$/.test(name) && name !== 'LISTEN_HOST')
        assert.ok(name in reaches, `${name} of ${service} has no line in reaches`)
})

test('a service asks its environment for the peers that its source calls, and for no other', async () => {
  for (const service of ['user', 'auth', 'notification']) {
    const called = new Set<string>()
    for await (const file of glob(`services/${service}/src/**/*.ts`, { cwd: root })) {
      if (file.endsWith('.test.ts')) continue
      for (const [, peer] of (await readFile(`${root}${file}`, 'utf8')).matchAll(/\bpeer\('(\w+)'\)/g)) if (peer) called.add(peer)
    }
    const table = declared[service]?.variables ?? {}
    const asked = ['user', 'auth', 'notification'].filter((peer) => isRequired(table, `${peer.toUpperCase()}_URL`))
    assert.deepEqual([...called].sort(), asked.sort(), service)
    assert.ok(called.size > 0)
  }
})
