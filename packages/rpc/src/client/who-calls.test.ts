import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createClient } from '@connectrpc/connect'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { createWorkloadKey, createWorkloadSigner, createWorkloadVerifier } from '@gatehouse/identity'
import { type Call, callOf } from '../call.ts'
import { ADA, openTestDoor } from '../grpc/door-for-tests.ts'
import { reasonOf } from '../peer-error.ts'
import { forCaller, forTenant } from './call-options.ts'
import { peerTransport } from './peer-transport.ts'

describe('who calls', () => {
  test("is proven by the workload's own key, for this peer only", async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-rpc-'))
    const auth = await createWorkloadKey('auth')
    const jwksFile = join(folder, 'jwks.json')
    const keyFile = join(folder, 'auth.json')
    await writeFile(jwksFile, JSON.stringify({ keys: [auth.publicJwk] }))
    await writeFile(keyFile, JSON.stringify(auth.privateJwk))
    const callers: string[] = []
    await using door = await openTestDoor({
      user: {
        resolveUser: (_request, context) => {
          callers.push(`${callOf(context).caller.workload} for ${callOf(context).tenant}`)
          return {}
        },
      },
      pipeline: { workloads: createWorkloadVerifier({ self: 'user', jwksFile }) },
    })
    const signer = await createWorkloadSigner(keyFile)
    const request = { by: { case: 'id' as const, value: ADA } }
    await using right = peerTransport({ target: 'user', url: door.url, signer })
    await createClient(UserService, right).resolveUser(request, forTenant('acme'))
    assert.deepEqual(callers, ['auth for acme'])
    await using wrong = peerTransport({ target: 'notification', url: door.url, signer })
    await assert.rejects(
      createClient(UserService, wrong).resolveUser(request, forTenant('acme')),
      (error) => reasonOf(error) === 'WORKLOAD_TOKEN_INVALID',
    )
    await rm(folder, { recursive: true })
  })

  test("is forwarded with the person's token, their tenant and what is left of their time", async () => {
    const seen: { header: string | undefined; tenant: string; timeoutMs: number | undefined }[] = []
    await using far = await openTestDoor({
      user: {
        getUser: (_request, context) => {
          const call = callOf(context)
          seen.push({ header: call.header('authorization'), tenant: call.tenant, timeoutMs: context.timeoutMs() })
          return {}
        },
      },
    })
    await using toFar = peerTransport({
      target: 'user',
      url: far.url,
      signer: { name: 'billing', tokenFor: async () => 'billing' },
    })
    const relay = async (call: Call) => {
      await createClient(UserService, toFar).getUser({ id: ADA }, forCaller(call))
      return {}
    }
    await using near = await openTestDoor({ user: { getUser: (_request, context) => relay(callOf(context)) } })
    await using toNear = peerTransport({ target: 'near', url: near.url })
    await createClient(UserService, toNear).getUser({ id: ADA }, { headers: { authorization: 'Bearer ada-of-acme' }, timeoutMs: 1000 })
    assert.equal(seen[0]?.header, 'Bearer ada-of-acme')
    assert.equal(seen[0]?.tenant, 'acme')
    assert.ok((seen[0]?.timeoutMs ?? Infinity) <= 1000)
  })

  test('is nobody where there is no signer', async () => {
    await using door = await openTestDoor()
    await using transport = peerTransport({ target: 'user', url: door.url })
    await assert.rejects(createClient(UserService, transport).listUsers({}), (error) => reasonOf(error) === 'CREDENTIALS_MISSING')
  })
})
