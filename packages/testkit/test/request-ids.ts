import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { DescMethod } from '@bufbuild/protobuf'
import { MethodOptions_IdempotencyLevel as Idempotency } from '@bufbuild/protobuf/wkt'
import pg from 'pg'
import { type Answer, type CallOptions, type House, reasonOf } from './house.ts'

const nameOf = (method: DescMethod): string => `${method.parent.name}/${method.name}`
const hasRequestId = ({ input }: DescMethod): boolean => input.field.requestId !== undefined

/**
 * RPCs that change something and have no `request_id`: what makes a repetition safe, or why the contract calls it not safe.
 * Whoever adds one says so here, or gives it a `request_id`.
 */
const withoutRequestId: Readonly<Record<string, string>> = {
  'AccountService/VerifyEmail': 'not safe: the proof is used up once',
  'AccountService/ResetPassword': 'not safe: the proof is used up once',
  'AccountService/AcceptInvitation': 'not safe: the proof is used up once',
  'AccountService/ConfirmEmailChange': 'not safe: the proof is used up once',
  'AccountService/LockDown': 'not safe: the proof is used up once',
  'AccountService/ChangePassword': 'not safe: the current password is another one afterwards',
  'PasskeyService/BeginPasskeySignIn': 'not safe: each begins an attempt',
  'PasskeyService/CompletePasskeySignIn': 'not safe: the attempt is used up once',
  'PasskeyService/BeginPasskeyRegistration': 'not safe: each begins an attempt',
  'PasskeyService/CompletePasskeyRegistration': 'not safe: the attempt is used up once',
  'PasskeyService/RenamePasskey': 'sets a value',
  'PasskeyService/DeletePasskey': 'what is gone stays gone',
  'AccessService/UpdateRole': 'sets values',
  'AccessService/DeleteRole': 'what is gone stays gone',
  'AccessService/DeleteGroup': 'what is gone stays gone',
  'AccessService/AddGroupMember': 'whoever is in it stays',
  'AccessService/RemoveGroupMember': 'whoever is not in it stays out',
  'AccessService/DeleteBinding': 'what is gone stays gone',
  'AccessService/ReleasePerson': 'holds for another minute',
  'SessionService/SignIn': 'not safe: each opens a session',
  'SessionService/ContinueSignIn': 'not safe: a continuation and a factor are used up once',
  'SessionService/BeginStepUp': 'not safe: each answers a continuation of its own',
  'SessionService/CompleteStepUp': 'not safe: a continuation and a factor are used up once',
  'SessionService/RevokeOtherSessions': 'ended sessions stay ended',
  'SessionService/RevokeSessionsOfUser': 'ended sessions stay ended',
  'SessionService/ForgetTrustedDevices': 'what is forgotten stays forgotten',
  'FactorService/BeginTotp': 'not safe: each makes a secret of its own, and the last one counts',
  'FactorService/ConfirmTotp': 'not safe: a secret is confirmed once',
  'FactorService/DeleteTotp': 'what is gone stays gone; no second event',
  'FactorService/RemoveFactorsOfUser': 'what is gone stays gone; no second event',
  'FactorService/MakeRecoveryCodes': 'not safe: each makes codes of its own, and the last ones count',
  'EmailSignInService/CompleteEmailSignIn': 'not safe: the proof is used up once',
  'EnrolmentService/BeginTotpEnrolment': 'not safe: each makes another secret',
  'EnrolmentService/CompleteTotpEnrolment': 'not safe: the continuation is used up once',
  'EnrolmentService/BeginPasskeyEnrolment': 'not safe: each begins an attempt',
  'EnrolmentService/CompletePasskeyEnrolment': 'not safe: the continuation is used up once',
  'PolicyService/UpdatePolicy': 'sets values; nothing changes and no event follows where they are set',
  'SessionService/RefreshSession': 'a repetition within the grace answers the same successor',
  'SessionService/SignOut': 'an ended session stays ended',
  'SessionService/RevokeSession': 'an ended session stays ended',
  'SessionService/RevokePersonSessions': 'ended sessions stay ended',
  'SessionService/IssueToken': 'a token is no state',
  'ChallengeService/RevealSecret': 'delivery_id names what is revealed',
  'ServiceAccountService/DisableServiceAccount': 'a state stays',
  'ServiceAccountService/EnableServiceAccount': 'a state stays',
  'ServiceAccountService/DeleteServiceAccount': 'what is gone stays gone',
  'ServiceAccountService/CreateApiKey': 'not safe: a key is shown once and kept nowhere',
  'ServiceAccountService/RotateApiKey': 'not safe: a key is shown once and kept nowhere',
  'ServiceAccountService/RevokeApiKey': 'an ended key stays ended',
  'ServiceAccountService/ResolveApiKey': 'notes the minute of the use',
  'ClientService/CreateClient': 'not safe: a secret is shown once and kept nowhere; a chosen client_id is made once',
  'ClientService/UpdateClient': 'sets values; nothing changes and no event follows where they are set',
  'ClientService/RotateClientSecret': 'not safe: a secret is shown once and kept nowhere',
  'ClientService/RevokeClientSecret': 'an ended secret stays ended',
  'ClientService/DisableClient': 'a state stays; no second event',
  'ClientService/EnableClient': 'a state stays; no second event',
  'ClientService/DeleteClient': 'what is gone stays gone; no second event',
  'ConnectionService/CreateConnection': 'not safe: a chosen connection_id is made once',
  'ConnectionService/UpdateConnection': 'sets values; nothing changes and no event follows where they are set',
  'ConnectionService/DisableConnection': 'a state stays; no second event',
  'ConnectionService/EnableConnection': 'a state stays; no second event',
  'ConnectionService/DeleteConnection': 'what is gone stays gone; no second event',
  'ConnectionService/BeginConnectionSignIn': 'not safe: each begins an attempt',
  'ConnectionService/CompleteConnectionSignIn': 'not safe: the attempt is used up once',
  'ConnectionService/BeginLink': 'not safe: each begins an attempt',
  'ConnectionService/CompleteLink': 'not safe: the attempt is used up once',
  'ConnectionService/UnlinkIdentity': 'what is gone stays gone; no second event',
  'GrantService/RevokeGrant': 'ended grants stay ended; no second event',
  'GrantService/RevokeGrantsOfUser': 'ended grants stay ended; no second event',
  'ResourceServerService/RegisterResourceServer': 'the caller chooses the indicator; the same again changes nothing',
  'ResourceServerService/UpdateResourceServer': 'sets values; nothing changes where they are set',
  'ResourceServerService/RemoveResourceServer': 'what is gone stays gone',
  'WorkloadService/RegisterWorkload': 'the caller chooses the name, and the values are set',
  'WorkloadService/UnregisterWorkload': 'what is gone stays gone',
  'UserService/UpdateUser': 'sets values; nothing changes and no event follows where they are set',
  'UserService/SuspendUser': 'a state stays; no second event',
  'UserService/ReactivateUser': 'a state stays; no second event',
  'UserService/DeleteUser': 'a state stays; no second event',
  'UserService/RegisterUser': 'the caller chooses the id',
  'UserService/ActivateUser': 'a state stays; no second event',
  'UserService/ChangeUserEmail': 'sets a value; no second event',
  'NotificationService/CancelNotification': 'a state stays',
  'InboxService/MarkInboxItemsRead': 'a state stays; read_time stays the first',
}

type Person = Awaited<ReturnType<House['person']>>

let house: House
let database: pg.Client
let first: Person
let second: Person
let secondToken: string

async function count(table: string, where: string, value: string): Promise<number> {
  const { rows } = await database.query<{ n: string }>(`select count(*) as n from ${table} where ${where} = $1`, [value])
  return Number(rows[0]?.n)
}

const mailsAskedFor = (challengeId: string): Promise<number> => count('gatehouse_auth.outbox', 'key', challengeId)
const challengesOf = (email: string): Promise<number> => count('gatehouse_auth.challenges', 'address', email)
const challengeIdOf = ({ body }: Answer): string => String(body.challengeId)
const asAdministrator = async (): Promise<CallOptions> => ({ token: await house.adminToken() })
const asSecond = async (): Promise<CallOptions> => ({ token: secondToken })
const asStranger = async (): Promise<CallOptions> => ({})
const inAcme = async (): Promise<CallOptions> => ({ hostname: 'acme.localhost' })
const address = (): string => `${randomUUID()}@example.com`

async function pendingSignUp(): Promise<string> {
  return challengeIdOf(await house.call('AccountService/SignUp', { email: address(), password: 'correct horse battery', name: 'Pending' }))
}

const newRole = () => ({ name: `r${randomUUID()}`, description: 'Reads people.', permissions: ['user.users.read'] })
const newBinding = () => ({
  role: 'support',
  subject: { kind: 'SUBJECT_KIND_PERSON', id: first.userId },
  resource: `user/${randomUUID()}`,
})

/** How an RPC with a `request_id` is called, and how often it acted. */
type Case = {
  /** A request that was never made. */
  readonly request: () => Promise<object>
  readonly as: () => Promise<CallOptions>
  /** Somebody to whom the same id is another one. */
  readonly other: () => Promise<CallOptions>
  /** What the other one asks for, where the same would be refused for reasons of its own. */
  readonly otherRequest?: () => Promise<object>
  readonly acted: (request: never, answer: Answer) => Promise<number>
  readonly resultOf: (answer: Answer) => string
}

const cases: Readonly<Record<string, Case>> = {
  'AccountService/SignUp': {
    request: async () => ({ email: address(), password: 'correct horse battery', name: 'Grace Hopper' }),
    as: asStranger,
    other: inAcme,
    acted: ({ email }: { email: string }) => challengesOf(email),
    resultOf: challengeIdOf,
  },
  'AccountService/ResendVerification': {
    request: async () => ({ challengeId: await pendingSignUp() }),
    as: asStranger,
    other: inAcme,
    // The first mail was the sign-up's.
    acted: async ({ challengeId }: { challengeId: string }) => (await mailsAskedFor(challengeId)) - 1,
    resultOf: () => '',
  },
  'AccountService/RequestPasswordReset': {
    request: async () => ({ email: address() }),
    as: asStranger,
    other: inAcme,
    acted: ({ email }: { email: string }) => challengesOf(email),
    resultOf: challengeIdOf,
  },
  'EmailSignInService/BeginEmailSignIn': {
    request: async () => ({ email: address() }),
    as: asStranger,
    other: inAcme,
    acted: ({ email }: { email: string }) => challengesOf(email),
    resultOf: challengeIdOf,
  },
  'AccountService/RequestEmailChange': {
    request: async () => ({ email: address(), password: first.password }),
    as: async () => ({ token: first.accessToken }),
    other: asSecond,
    otherRequest: async () => ({ email: address(), password: second.password }),
    acted: ({ email }: { email: string }) => challengesOf(email),
    resultOf: challengeIdOf,
  },
  'AccessService/CreateRole': {
    request: async () => newRole(),
    as: asAdministrator,
    other: asSecond,
    otherRequest: async () => newRole(),
    acted: ({ name }: { name: string }) => count('gatehouse_auth.roles', 'name', name),
    resultOf: ({ body }) => String(body.role?.name),
  },
  'AccessService/CreateGroup': {
    request: async () => ({ name: randomUUID() }),
    as: asAdministrator,
    other: asSecond,
    otherRequest: async () => ({ name: randomUUID() }),
    acted: ({ name }: { name: string }) => count('gatehouse_auth.groups', 'name', name),
    resultOf: ({ body }) => String(body.group?.id),
  },
  'AccessService/CreateBinding': {
    request: async () => newBinding(),
    as: asAdministrator,
    other: asSecond,
    otherRequest: async () => newBinding(),
    acted: ({ resource }: { resource: string }) => count('gatehouse_auth.conditional_bindings', 'resource', resource),
    resultOf: ({ body }) => String(body.binding?.id),
  },
  'ServiceAccountService/CreateServiceAccount': {
    request: async () => ({ name: `robot-${randomUUID().slice(0, 8)}` }),
    as: asAdministrator,
    other: asSecond,
    otherRequest: async () => ({ name: `robot-${randomUUID().slice(0, 8)}` }),
    acted: ({ name }: { name: string }) => count('gatehouse_auth.service_accounts', 'name', name),
    resultOf: ({ body }) => String(body.serviceAccount?.id),
  },
  'UserService/CreateUser': {
    request: async () => ({ email: address(), name: 'Grace Hopper' }),
    as: asAdministrator,
    other: asSecond,
    otherRequest: async () => ({ email: address(), name: 'Grace Hopper' }),
    acted: ({ email }: { email: string }) => count('gatehouse_user.users', 'email', email),
    resultOf: ({ body }) => String(body.user?.id),
  },
  'NotificationService/SendNotification': {
    request: async () => ({
      template: 'announcement',
      recipient: first.userId,
      data: { title: randomUUID(), text: 'Good news.' },
      // What is in a mail is forgotten when it is sent.
      sendTime: new Date(Date.now() + 86_400_000).toISOString(),
    }),
    as: asAdministrator,
    other: asSecond,
    acted: async ({ data }: { data: { title: string } }) => {
      const { rows } = await database.query<{ n: string }>(
        `select count(*) as n from gatehouse_notification.deliveries where data ->> 'title' = $1`,
        [data.title],
      )
      return Number(rows[0]?.n)
    },
    resultOf: ({ body }) => String(body.notification?.id),
  },
}

/** The rows of a request id are two, one for each caller, and say nothing of what was asked. */
async function assertNothingPersonal(requestId: string, requests: readonly object[]): Promise<void> {
  const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
  const kept: Record<string, unknown>[] = []
  for (const schema of schemas)
    kept.push(
      ...(await database.query<Record<string, unknown>>(`select * from ${schema}.requests where request_id = $1`, [requestId])).rows,
    )
  assert.equal(kept.length, 2)
  for (const { caller, fingerprint, result_id: resultId, create_time: _, tenant, method, request_id: __, ...more } of kept) {
    assert.match(String(caller), new RegExp(`^(stranger|((person|service_account):)?${uuid}|workload:[a-z]+)$`))
    // An HMAC: nobody without the key can try addresses on it.
    assert.match(String(fingerprint), /^[\w-]{43}$/)
    assert.match(String(resultId), new RegExp(`^${uuid}$`))
    assert.match(`${tenant} ${method}`, /^(default|acme) [\w./]+$/)
    assert.deepEqual(more, {})
  }
  const text = JSON.stringify(kept)
  for (const value of requests.flatMap((each) => Object.entries(each)).filter(([field]) => !/Id$|recipient/.test(field)))
    assert.ok(!text.includes(String(value[1])), value[0])
}

const schemas = ['gatehouse_auth', 'gatehouse_user', 'gatehouse_notification']

/** Tests of every RPC with a `request_id`, in a house that other tests use too. */
export function walkRequestIds(rpcs: readonly DescMethod[], ofHouse: () => House): void {
  describe('a request_id', () => {
    before(async () => {
      house = ofHouse()
      database = new pg.Client({ connectionString: Object.assign(new URL(house.local.postgresUrl), { pathname: '/gatehouse' }).href })
      const origin = `http://acme.localhost:${house.local.ports.origin}`
      const made = await Promise.all([
        house.person('first@example.com'),
        house.person('second@example.com'),
        house.local.gatehouse('auth', 'tenants', 'create', 'acme', '--origin', origin),
        database.connect(),
      ])
      first = made[0]
      second = made[1]
      await house.local.gatehouse('auth', 'admin', 'invite', second.email)
      const signedIn = await house.call('SessionService/SignIn', { email: second.email, password: second.password })
      secondToken = String(signedIn.body.signedIn?.accessToken)
    })
    after(() => database?.end())

    test('every RPC that creates or sends has a request_id, or says what makes its repetition safe', () => {
      const changing = rpcs.filter(({ idempotency }) => idempotency !== Idempotency.NO_SIDE_EFFECTS)
      assert.deepEqual(changing.filter(hasRequestId).map(nameOf).sort(), Object.keys(cases).sort())
      assert.deepEqual(
        changing
          .filter((method) => !hasRequestId(method))
          .map(nameOf)
          .sort(),
        Object.keys(withoutRequestId).sort(),
      )
      for (const method of changing) {
        const isSafe = method.idempotency === Idempotency.IDEMPOTENT
        assert.equal(isSafe, hasRequestId(method) || withoutRequestId[nameOf(method)]?.startsWith('not safe') === false, nameOf(method))
      }
    })

    for (const [name, { request, as, other, otherRequest, acted, resultOf }] of Object.entries(cases)) {
      test(`${name} acts once for one request_id`, async () => {
        const requestId = randomUUID()
        const asked = await request()
        const call = (body: object, options: CallOptions) => house.call(name, { ...body, requestId }, options)
        const ok = (answer: Answer): Answer => {
          assert.ok(answer.status < 300, `${answer.status} ${JSON.stringify(answer.body)}`)
          return answer
        }
        const caller = await as()
        // At once, and again afterwards.
        const answers = (await Promise.all(Array.from({ length: 3 }, () => call(asked, caller)))).map(ok)
        answers.push(ok(await call(asked, caller)))
        assert.equal(new Set(answers.map(resultOf)).size, 1)
        assert.equal(await acted(asked as never, answers[0] as Answer), 1)

        const anotherBody = await call(await request(), caller)
        assert.deepEqual([anotherBody.status, reasonOf(anotherBody)], [400, 'REQUEST_ID_REUSED'])

        const otherAsked = otherRequest === undefined ? asked : await otherRequest()
        const answer = ok(await call(otherAsked, await other()))
        if (resultOf(answer) !== '') assert.notEqual(resultOf(answer), resultOf(answers[0] as Answer))
        assert.equal(await acted(asked as never, answer), name === 'AccountService/ResendVerification' || otherRequest ? 1 : 2)
        await assertNothingPersonal(requestId, [asked, otherAsked])
      })
    }
  })
}
