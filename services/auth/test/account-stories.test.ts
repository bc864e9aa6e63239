import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { Code, ConnectError } from '@connectrpc/connect'
import { AccountService } from '@gatehouse/contracts/gatehouse/auth/v1/account_service_pb'
import { ChallengePurpose, ChallengeService } from '@gatehouse/contracts/gatehouse/auth/v1/challenge_service_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { UserInvitedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { ErrorInfoSchema } from '@gatehouse/contracts/google/rpc/error_details_pb'
import { addEvent, connectNats, createRelay, eventMigrations } from '@gatehouse/events'
import { connect, transact } from '@gatehouse/postgres'
import type { App } from '@gatehouse/service'
import { refused, testDatabase } from '@gatehouse/testkit'
import { openStory, type Story, type WorkloadName } from './open-story.ts'
import { until } from './until.ts'

const tenant = 'default'
const password = 'kz7vq9mmlp2xrtwe'
const otherPassword = 'horse staple correct battery'

let story: Story
before(async () => {
  story = await openStory()
})
after(async () => story[Symbol.asyncDispose]())

const accounts = (app?: App) => story.grpc(AccountService, { 'gatehouse-tenant': tenant }, 'notification', app)

async function reveal(challengeId: string, workload: WorkloadName = 'notification') {
  const challenges = await story.grpc(ChallengeService, { 'gatehouse-tenant': tenant }, workload)
  return await challenges.revealSecret({ challengeId, deliveryId: randomUUID() })
}

async function signUp(email: string): Promise<string> {
  return (await (await accounts()).signUp({ email, password, name: 'Ada' })).challengeId
}

function reasonOf(answer: PromiseSettledResult<unknown>): string {
  if (answer.status === 'fulfilled') return ''
  return ConnectError.from(answer.reason).findDetails(ErrorInfoSchema)[0]?.reason ?? String(answer.reason)
}

test('an invited person is written to, accepts and is signed in', async () => {
  const person = story.people.add(tenant, { email: 'invited@example.com', name: 'Kurt', state: User_State.INVITED })
  await using parts = new AsyncDisposableStack()
  const database = parts.use(await testDatabase({ service: 'user', sets: [eventMigrations] }))
  const { kysely: outbox } = parts.use(connect<unknown>({ url: database.url, poolSize: 2 }))
  const message = create(UserInvitedSchema, { userId: person.id, version: 1n })
  await transact(outbox, (tx) => addEvent(tx, { schema: UserInvitedSchema, message, tenant, version: 1 }))
  const nats = parts.use(connectNats({ url: story.nats.url, name: 'the user service' }))
  parts.use(createRelay({ db: outbox, nats, service: 'user' }))

  const find = () => story.db.selectFrom('challenges').select('id').where('user_id', '=', person.id).execute()
  await until(async () => (await find()).length === 1)
  const mail = await reveal((await find())[0]?.id ?? '')
  assert.deepEqual(
    [mail.purpose, mail.address, mail.name, mail.code],
    [ChallengePurpose.ACCEPT_INVITATION, 'invited@example.com', 'Kurt', ''],
  )
  assert.equal(mail.origin, 'http://localhost:8080')
  const { result } = await (await accounts()).acceptInvitation({ token: mail.token, password: otherPassword })
  assert.equal(result.case === 'signedIn' && result.value.user?.id, person.id)
  const signedIn = await (await story.grpc(SessionService)).signIn({ email: 'invited@example.com', password: otherPassword })
  assert.equal(signedIn.result.case, 'signedIn')
})

test('only the notification service is told a secret', async () => {
  const challengeId = await signUp('secret@example.com')
  for (const workload of ['user', 'billing'] as const)
    await refused(reveal(challengeId, workload), Code.PermissionDenied, 'PERMISSION_DENIED', workload)
  const nobody = await story.grpc(ChallengeService)
  await refused(nobody.revealSecret({ challengeId, deliveryId: randomUUID() }), Code.Unauthenticated, 'CREDENTIALS_MISSING')
  assert.match((await reveal(challengeId)).code, /^\d{6}$/)
})

/** Two of them, and what else is tried here, stay below what one source may. */
const burstSize = 40

test('codes are counted and used up across replicas', async () => {
  const replicas = await Promise.all([accounts(), accounts(await story.startReplica())])
  const burst = (challengeId: string, code: string) =>
    Promise.allSettled(
      Array.from({ length: burstSize }, (_, at) => replicas[at % 2]?.verifyEmail({ challengeId, proof: { case: 'code', value: code } })),
    )
  const guessed = await signUp('guessed@example.com')
  const wrong = String((Number((await reveal(guessed)).code) + 1) % 1_000_000).padStart(6, '0')
  const guesses = (await burst(guessed, wrong)).map(reasonOf)
  assert.equal(guesses.filter((reason) => reason === 'CHALLENGE_INVALID').length, 5)
  assert.equal(guesses.filter((reason) => reason === 'CODE_ATTEMPTS_EXHAUSTED').length, burstSize - 5)

  const proven = await signUp('proven@example.com')
  const proofs = (await burst(proven, (await reveal(proven)).code)).map(reasonOf)
  assert.equal(proofs.filter((reason) => reason === '').length, 1)
  assert.equal(proofs.filter((reason) => reason === 'CHALLENGE_INVALID').length, burstSize - 1)
})

test('without the user service people sign up, and what they prove is not used up', async () => {
  const app = await story.startReplica({ USER_URL: '127.0.0.1:1' })
  const alone = await accounts(app)
  const { challengeId } = await alone.signUp({ email: 'alone@example.com', password, name: 'Ada' })
  const { code } = await reveal(challengeId)
  const proof = { case: 'code', value: code } as const
  await refused(alone.verifyEmail({ challengeId, proof }), Code.Unavailable, 'DEPENDENCY_UNAVAILABLE')
  const lonely = await story.grpc(ChallengeService, { 'gatehouse-tenant': tenant }, 'notification', app)
  const another = (await alone.signUp({ email: 'alone2@example.com', password, name: 'Ada' })).challengeId
  await refused(lonely.revealSecret({ challengeId: another, deliveryId: randomUUID() }), Code.Unavailable, 'DEPENDENCY_UNAVAILABLE')
  assert.equal((await (await accounts()).verifyEmail({ challengeId, proof })).result.case, 'signedIn')
})

test('a cookie is refused at this door before anything is done', async () => {
  const challengeId = await signUp('cookie@example.com')
  const { token } = await reveal(challengeId)
  const proof = { case: 'token', value: token } as const
  const call = (await accounts()).verifyEmail({ challengeId, proof, useCookie: true })
  await refused(call, Code.PermissionDenied, 'ORIGIN_NOT_ALLOWED')
  assert.equal((await (await accounts()).verifyEmail({ challengeId, proof })).result.case, 'signedIn')
})
