import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { exportJWK, generateKeyPair } from 'jose'
import { clusterKeys } from './cluster-keys.ts'

async function publicJwk(kid: string) {
  const { publicKey } = await generateKeyPair('ES256', { extractable: true })
  return { ...(await exportJWK(publicKey)), kid }
}

test('a key that the cluster took away is let go, one that it added is found, and one that stayed stays the same', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-cluster-keys-'))
  const file = join(folder, 'jwks.json')
  const [old, staying, fresh] = await Promise.all(['old', 'staying', 'fresh'].map(publicJwk))
  writeFileSync(file, JSON.stringify({ keys: [old, staying] }))
  const keys = clusterKeys({ file }, { cooldownMs: 0 })
  const before = await Promise.all([keys.find('old'), keys.find('staying')])
  assert.ok(before[0] && before[1] && keys.holds('old', before[0]))
  writeFileSync(file, JSON.stringify({ keys: [staying, fresh] }))
  assert.ok(await keys.find('fresh'))
  assert.ok(!keys.holds('old', before[0]))
  assert.equal(await keys.find('old'), undefined)
  assert.ok(keys.holds('staying', before[1]))
  writeFileSync(file, '{"keys": [')
  assert.equal(await keys.find('unknown'), undefined)
  assert.ok(await keys.find('fresh'), 'a file that is being written changes nothing')
  await rm(folder, { recursive: true })
})

test('what is too large is not read', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-cluster-keys-'))
  const file = join(folder, 'jwks.json')
  writeFileSync(file, JSON.stringify({ keys: [await publicJwk('one')], filler: 'x'.repeat(300_000) }))
  assert.equal(await clusterKeys({ file }).find('one'), undefined)
  await rm(folder, { recursive: true })
})
