import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { type Client, Code, ConnectError } from '@connectrpc/connect'
import { type SignedInResult, SignedInResultSchema } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { refusedOf } from './errors.ts'
import { createGatehouse, type Gatehouse } from './gatehouse.ts'

/** How the server answers, by RPC: a reason, and nothing for one that is let in. */
let refusing = new Map<string, { code: string; status: number; reason: string }>()
const arrived: string[] = []
const traces: (string | undefined)[] = []

const signedIn = (token: string) => ({
  user: { id: '0199f1f2-0000-7000-8000-000000000001', name: 'Ada' },
  session: { id: '0199f1f2-0000-7000-8000-000000000002' },
  accessToken: token,
  accessTokenExpireTime: new Date(Date.now() + 600_000).toISOString(),
})

const server = createServer((request, response) => {
  request.resume().on('end', () => {
    const rpc = (request.url ?? '').split('?')[0]?.split('/').at(-1) ?? ''
    arrived.push(`${rpc} ${request.headers.authorization ?? ''}`.trim())
    traces.push(request.headers.traceparent?.toString())
    const refusal = request.headers.authorization === 'Bearer new' ? undefined : refusing.get(rpc)
    response.setHeader('content-type', 'application/json')
    if (refusal === undefined) {
      response.end(JSON.stringify(rpc === 'RefreshSession' ? { signedIn: signedIn('new') } : {}))
      return
    }
    const detail = { type: 'google.rpc.ErrorInfo', value: errorInfo(refusal.reason) }
    response.writeHead(refusal.status).end(JSON.stringify({ code: refusal.code, message: 'no', details: [detail] }))
  })
})

/** `google.rpc.ErrorInfo{reason}` as Connect carries it: field 1, a text. */
const errorInfo = (reason: string): string =>
  Buffer.from([0x0a, reason.length, ...Buffer.from(reason)])
    .toString('base64')
    .replace(/=+$/, '')

let gatehouse: Gatehouse
/** What the person does when they are asked to confirm. */
let confirm: () => boolean
before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  gatehouse = createGatehouse({ origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, confirm: async () => confirm() })
})
after(() => {
  gatehouse.session.close()
  server.closeAllConnections()
  server.close()
})

function signedInWith(accessToken: string): SignedInResult {
  const accessTokenExpireTime = { seconds: BigInt(Math.ceil(Date.now() / 1000) + 600) }
  return create(SignedInResultSchema, { user: {}, session: {}, accessToken, accessTokenExpireTime })
}

/** Signed in with a token that the server refuses, or will. */
async function begin(...refusals: [rpc: string, refusal: { code: string; status: number; reason: string }][]): Promise<void> {
  await gatehouse.session.known
  refusing = new Map(refusals)
  gatehouse.session.adopt(signedInWith('old'))
  arrived.length = 0
}

const tokenInvalid = { code: 'unauthenticated', status: 401, reason: 'ACCESS_TOKEN_INVALID' }

test('a call whose token the door refused is made once more, with a new one', async () => {
  await begin(['UpdateUser', tokenInvalid])
  await gatehouse.users.updateUser({ id: 'x' })
  assert.deepEqual(arrived, ['UpdateUser Bearer old', 'RefreshSession', 'UpdateUser Bearer new'])
})

test('each call begins a trace, which its repetition goes on with', async () => {
  await begin(['UpdateUser', tokenInvalid])
  traces.length = 0
  await gatehouse.users.updateUser({ id: 'x' })
  const [first, refresh, again] = traces
  assert.match(first ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
  assert.deepEqual([again === first, refresh === first], [true, false])
})

const stepUp = { code: 'permission_denied', status: 403, reason: 'STEP_UP_REQUIRED' }

test('a call that needs a fresher sign-in is made once more when the person has confirmed, and not when they have not', async () => {
  await begin(['DeletePasskey', stepUp])
  let asked = 0
  confirm = () => {
    asked++
    gatehouse.session.adopt(signedInWith('new'))
    return true
  }
  await gatehouse.passkeys.deletePasskey({ passkeyId: 'x' })
  assert.deepEqual(arrived, ['DeletePasskey Bearer old', 'DeletePasskey Bearer new'])

  await begin(['DeletePasskey', stepUp])
  confirm = () => ++asked < 0
  await assert.rejects(gatehouse.passkeys.deletePasskey({ passkeyId: 'x' }), (error) => refusedOf(error).reason === 'STEP_UP_REQUIRED')
  // Confirmed, and still not enough: nobody is asked in circles.
  confirm = () => ++asked > 0
  await assert.rejects(gatehouse.passkeys.deletePasskey({ passkeyId: 'x' }), (error) => refusedOf(error).reason === 'STEP_UP_REQUIRED')
  assert.deepEqual([asked, arrived.length], [3, 3])
})

test('what the browser refuses reads as a sentence for a person', () => {
  assert.equal(
    refusedOf(new DOMException('The operation either timed out or was not allowed.', 'NotAllowedError')).reason,
    'PASSKEY_NOT_SHOWN',
  )
  assert.equal(refusedOf(new DOMException('excluded', 'InvalidStateError')).message, 'This device has a passkey for you already.')
})

test('a password that was wrong is not tried again', async () => {
  await begin(['ChangePassword', { code: 'unauthenticated', status: 401, reason: 'EMAIL_OR_PASSWORD_WRONG' }])
  await assert.rejects(gatehouse.accounts.changePassword({}), (error) => ConnectError.from(error).code === Code.Unauthenticated)
  assert.deepEqual(arrived, ['ChangePassword Bearer old'])
})

test('no RPC is sent again by itself when the server may have done it', async () => {
  const { accounts, passkeys, sessions, users } = gatehouse
  const clients: readonly Client<never>[] = [accounts, passkeys, sessions, users] as never
  const names = clients.flatMap((client) =>
    Object.keys(client)
      .filter((name) => !name.startsWith('watch'))
      .map((name) => [client, name] as const),
  )
  const rpcOf = (name: string): string => `${name[0]?.toUpperCase()}${name.slice(1)}`
  await begin(
    ...names.map(
      ([, name]) =>
        [rpcOf(name), { code: 'unavailable', status: 503, reason: 'DEPENDENCY_UNAVAILABLE' }] as [
          string,
          { code: string; status: number; reason: string },
        ],
    ),
  )
  for (const [client, name] of names) {
    const call = (client as unknown as Record<string, (request: object) => Promise<unknown>>)[name]
    await assert.rejects(Promise.resolve(call?.({})), (error) => ConnectError.from(error).code === Code.Unavailable, name)
  }
  assert.deepEqual(
    arrived.map((line) => line.split(' ')[0]),
    names.map(([, name]) => rpcOf(name)),
  )
})
