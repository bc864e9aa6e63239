import assert from 'node:assert/strict'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createClient } from '@connectrpc/connect'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { peerTransport } from './client/peer-transport.ts'
import { ADA, openTestDoor } from './grpc/door-for-tests.ts'
import { isUnavailableError } from './peer-error.ts'
import type { DoorTls, PeerTls } from './tls.ts'

const pem = (name: string) => fileURLToPath(new URL(`../testdata/tls/${name}.pem`, import.meta.url))
const HOUSE: PeerTls = { caFile: pem('house-ca') }
const HOUSE_LEAF = { certFile: pem('house-leaf'), keyFile: pem('house-leaf-key') }
const STRANGER_LEAF = { certFile: pem('stranger-leaf'), keyFile: pem('stranger-leaf-key') }

const open = (tls: DoorTls) => openTestDoor({ user: { getUser: (request) => ({ user: { id: request.id } }) }, door: { tls } })

async function call(port: number, tls: PeerTls | undefined): Promise<string | undefined> {
  await using transport = peerTransport({ target: 'user', url: `localhost:${port}`, ...(tls === undefined ? {} : { tls }) })
  const options = { headers: { authorization: 'Bearer ada' }, timeoutMs: 3000 }
  return (await createClient(UserService, transport).getUser({ id: ADA }, options)).user?.id
}

test('a door under TLS answers those who trust its authority, and nobody in plain text', async () => {
  await using door = await open(HOUSE_LEAF)
  assert.equal(await call(door.door.port, HOUSE), ADA)
  await assert.rejects(call(door.door.port, { caFile: pem('stranger-ca') }), isUnavailableError)
  await assert.rejects(call(door.door.port, undefined), isUnavailableError)
})

test('a client under TLS speaks with no plaintext door', async () => {
  await using door = await openTestDoor({ user: { getUser: () => ({}) } })
  await assert.rejects(call(door.door.port, HOUSE), isUnavailableError)
})

test('a door that asks for certificates takes those of its authority only', async () => {
  await using door = await open({ ...HOUSE_LEAF, clientCaFile: pem('house-ca') })
  assert.equal(await call(door.door.port, { ...HOUSE, ...HOUSE_LEAF }), ADA)
  await assert.rejects(call(door.door.port, HOUSE), isUnavailableError)
  await assert.rejects(call(door.door.port, { ...HOUSE, ...STRANGER_LEAF }), isUnavailableError)
})

test('a renewed certificate is served without a restart', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-tls-'))
  const tls = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem'), refreshIntervalMs: 50 }
  await copyFile(HOUSE_LEAF.certFile, tls.certFile)
  await copyFile(HOUSE_LEAF.keyFile, tls.keyFile)
  await using door = await open(tls)
  assert.equal(await call(door.door.port, HOUSE), ADA)
  await copyFile(STRANGER_LEAF.certFile, tls.certFile)
  await copyFile(STRANGER_LEAF.keyFile, tls.keyFile)
  const end = Date.now() + 10_000
  for (;;) {
    try {
      assert.equal(await call(door.door.port, { caFile: pem('stranger-ca') }), ADA)
      break
    } catch (error) {
      assert.ok(isUnavailableError(error) && Date.now() < end, String(error))
    }
  }
  await rm(folder, { recursive: true })
})
