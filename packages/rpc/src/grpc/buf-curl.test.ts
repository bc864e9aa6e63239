import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { fromBinary } from '@bufbuild/protobuf'
import { ErrorInfoSchema } from '@gatehouse/contracts/google/rpc/error_details_pb'
import { ADA, openTestDoor, type TestDoor } from './door-for-tests.ts'

// connect-go under `buf curl` is a client that shares no code with ours, and it knows the contract by reflection only.
const BUF = fileURLToPath(new URL('../../../../node_modules/.bin/buf', import.meta.url))

let door: TestDoor

before(async () => {
  door = await openTestDoor({
    user: {
      getUser: (request) => ({ user: { id: request.id, name: 'Ada' } }),
      createUser: () => {
        throw new Error('out of order')
      },
    },
    inbox: {
      async *watchInbox(request) {
        yield { cursor: `${request.cursor}1` }
        yield { cursor: `${request.cursor}2` }
      },
    },
  })
})
after(() => door[Symbol.asyncDispose]())

interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

function buf(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(BUF, args, { timeout: 30_000 }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    )
  })
}

function curl(method: string, data: unknown, ...more: string[]): Promise<Outcome> {
  const url = `http://${door.url}/${method}`
  return buf('curl', '--protocol', 'grpc', '--http2-prior-knowledge', '--data', JSON.stringify(data), ...more, url)
}

interface BufError {
  readonly code: string
  readonly message: string
  /** `value` is base64 without padding. */
  readonly details: { readonly type: string; readonly value: string }[]
}

for (const version of ['v1', 'v1alpha']) {
  describe(`buf curl with reflection ${version}`, () => {
    const protocol = ['--reflect-protocol', `grpc-${version}`]

    test('calls a method', async () => {
      const { code, out, err } = await curl(
        'gatehouse.user.v1.UserService/GetUser',
        { id: ADA },
        '-H',
        'Authorization: Bearer ada',
        ...protocol,
      )
      assert.equal(code, 0, err)
      assert.deepEqual(JSON.parse(out), { user: { id: ADA, name: 'Ada' } })
    })

    test('reads a stream', async () => {
      const { code, out, err } = await curl(
        'gatehouse.notification.v1.InboxService/WatchInbox',
        { cursor: 'c' },
        '-H',
        'Authorization: Bearer ada',
        ...protocol,
      )
      assert.equal(code, 0, err)
      assert.deepEqual(out.match(/c\d/g), ['c1', 'c2'])
    })

    test('reads the code, sentence and details of a refusal', async () => {
      const { code, err } = await curl(
        'gatehouse.user.v1.UserService/CreateUser',
        { name: '', email: 'x' },
        '-H',
        'Authorization: Bearer admin',
        ...protocol,
      )
      assert.notEqual(code, 0)
      const error: BufError = JSON.parse(err)
      assert.equal(error.code, 'invalid_argument')
      assert.equal(error.message, 'The request is not valid.')
      assert.deepEqual(
        error.details.map(({ type }) => type),
        ['google.rpc.ErrorInfo', 'google.rpc.BadRequest'],
      )
      const info = fromBinary(ErrorInfoSchema, Buffer.from(error.details[0]?.value ?? '', 'base64'))
      assert.equal(info.reason, 'INVALID_REQUEST')
      assert.equal(info.domain, 'gatehouse')
    })
  })
}

test('buf curl lists the services and their methods', async () => {
  const services = await buf('curl', '--protocol', 'grpc', '--http2-prior-knowledge', '--list-services', `http://${door.url}`)
  assert.match(services.out, /^gatehouse\.user\.v1\.UserService$/m)
  const methods = await buf('curl', '--protocol', 'grpc', '--http2-prior-knowledge', '--list-methods', `http://${door.url}`)
  assert.match(methods.out, /UserService\/GetUser/)
})

test('a fault of ours shows nothing of its cause', async () => {
  const { err } = await curl(
    'gatehouse.user.v1.UserService/CreateUser',
    { name: 'Ada', email: 'a@b.c' },
    '-H',
    'Authorization: Bearer admin',
  )
  const error: BufError = JSON.parse(err)
  assert.equal(error.code, 'internal')
  assert.equal(err.includes('out of order'), false)
})

test('a door without reflection has none', async () => {
  await using quiet = await openTestDoor({ door: { reflection: false } })
  const { code, err } = await buf('curl', '--protocol', 'grpc', '--http2-prior-knowledge', '--list-services', `http://${quiet.url}`)
  assert.notEqual(code, 0)
  assert.match(err, /unimplemented/i)
})
