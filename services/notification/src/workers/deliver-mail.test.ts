import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChallengePurpose } from '@gatehouse/contracts/gatehouse/auth/v1/challenge_service_pb'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { sql } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import { challengeOver, signUpSecret } from '../../test/peers.ts'
import { openScene, type Scene } from '../../test/scene.ts'
import { until } from '../../test/until.ts'
import { addMail, type MailInput } from '../core/deliveries/add-mail.ts'
import { findNotification } from '../store/notifications.ts'

const add = (scene: Scene, mail: Omit<MailInput, 'tenant'>) => addMail(scene.db, { tenant: scene.tenant, ...mail })
const announcement = { template: 'announcement', data: { title: 'News', text: 'Hello' } } as const

async function settled(scene: Scene, id: string) {
  return until('the notification to be settled', async () => {
    const row = await findNotification(scene.db, scene.tenant, id)
    return row && row.state !== 'pending' && row.state !== 'sending' ? row : undefined
  })
}

async function eventsOf(scene: Scene, id: string): Promise<string[]> {
  const { rows } = await sql<{ type: string }>`select type from outbox where key = ${id} order by create_time`.execute(scene.db)
  return rows.map(({ type }) => type)
}

function addChallenge(scene: Scene, ...secrets: Parameters<typeof signUpSecret>[1][]): string {
  const id = uuidv7()
  scene.peers.secrets.set(`${scene.tenant} ${id}`, ({ count }) => signUpSecret('ada@example.com', secrets[count - 1] ?? secrets.at(-1)))
  return id
}

test('a sign-up mail goes to the revealed address in both parts, says who wants no answer, and becomes an event', async () => {
  await using scene = await openScene()
  const id = await add(scene, { template: 'verify_email', challengeId: addChallenge(scene, {}) })
  scene.startWorker()
  const row = await settled(scene, id)
  assert.deepEqual([row.state, row.attempts, row.failure], ['delivered', 1, ''])
  const [mail] = scene.mailServer.taken
  assert.ok(mail)
  assert.equal(mail.to, 'ada@example.com')
  assert.equal(mail.messageId, `<${scene.peers.revealed[0]}@example.com>`)
  for (const part of [mail.email.html ?? '', mail.email.text ?? '']) {
    assert.ok(part.includes('048213') && part.includes('https://id.example.com/verify#token=a-token_0123456789'))
    assert.ok(part.includes('10 minutes') && part.includes('24 hours'))
  }
  const header = (key: string) => mail.email.headers.find((each) => each.key === key)?.value
  assert.equal(header('auto-submitted'), 'auto-generated')
  assert.equal(header('list-unsubscribe'), undefined)
  assert.match(header('content-type') ?? '', /^multipart\/alternative/)
  assert.deepEqual(await eventsOf(scene, id), ['gatehouse.notification.v1.NotificationDelivered'])
})

test('a person reads their language at the address that they have now, and what was said is forgotten', async () => {
  await using scene = await openScene()
  const userId = scene.addPerson({ locale: 'de-AT', name: 'Ada <b>', email: 'ada@example.org' })
  const id = await add(scene, { ...announcement, userId })
  scene.startWorker()
  await settled(scene, id)
  const [mail] = scene.mailServer.taken
  assert.equal(mail?.to, 'ada@example.org')
  assert.match(mail?.email.text ?? '', /^Guten Tag Ada <b>,$/m)
  assert.match(mail?.email.html ?? '', /Guten Tag Ada &lt;b&gt;,/)
  const { data } = await scene.db.selectFrom('deliveries').select('data').where('notification_id', '=', id).executeTakeFirstOrThrow()
  assert.equal(data, null)
})

test('a mail server that dies after it took a mail gets it again under the same Message-ID', async () => {
  let deaths = 0
  await using scene = await openScene({ mailServer: { reply: () => (deaths++ === 0 ? 'die' : 'take') } })
  const id = await add(scene, { template: 'password_changed', userId: scene.addPerson() })
  scene.startWorker()
  const row = await settled(scene, id)
  assert.deepEqual([row.state, row.attempts], ['delivered', 2])
  assert.equal(scene.mailServer.read.length, 2)
  assert.equal(scene.mailServer.read[0]?.messageId, scene.mailServer.read[1]?.messageId)
})

test('a mail server that never answers is left after a while', async () => {
  let hangs = 0
  await using scene = await openScene({
    mailServer: { reply: () => (hangs++ === 0 ? 'hang' : 'take') },
    mailer: { timeoutMs: 300, sendTimeoutMs: 300 },
  })
  const id = await add(scene, { template: 'password_changed', userId: scene.addPerson() })
  scene.startWorker()
  const row = await settled(scene, id)
  assert.deepEqual([row.state, row.attempts], ['delivered', 2])
})

test('a mail that is refused for now goes again, and one that is refused for good does not', async () => {
  let refusals = 0
  await using scene = await openScene({
    mailServer: {
      reply: () => (refusals++ < 2 ? { code: 451, text: 'greylisted' } : 'take'),
      replyToRecipient: (address) =>
        address === 'gone@example.com' ? { code: 550, text: '5.1.1 gone@example.com is unknown' } : undefined,
    },
  })
  const later = await add(scene, { template: 'password_changed', userId: scene.addPerson() })
  scene.startWorker()
  assert.deepEqual([(await settled(scene, later)).state, scene.mailServer.read.length], ['delivered', 3])

  const never = await add(scene, { template: 'password_changed', userId: scene.addPerson({ email: 'gone@example.com' }) })
  const row = await settled(scene, never)
  assert.deepEqual([row.state, row.attempts], ['failed', 1])
  assert.match(row.failure, /550 \(5\.1\.1\)/)
  assert.doesNotMatch(row.failure, /@/)
  const dead = await scene.db.selectFrom('dead_deliveries').selectAll().execute()
  assert.deepEqual(
    dead.map(({ reason, attempts }) => [reason, attempts]),
    [[row.failure, 1]],
  )
  assert.deepEqual(await eventsOf(scene, never), ['gatehouse.notification.v1.NotificationFailed'])
})

test('a mail that is refused again and again is given up', async () => {
  await using scene = await openScene({ mailServer: { reply: () => ({ code: 451 }) }, rules: { maxAttempts: 3 } })
  const id = await add(scene, { template: 'password_changed', userId: scene.addPerson() })
  scene.startWorker()
  const row = await settled(scene, id)
  assert.deepEqual([row.state, row.attempts, scene.mailServer.read.length], ['failed', 3, 3])
})

test('no mail server at all is waited for', async () => {
  await using scene = await openScene({ mailer: { port: 1, timeoutMs: 200 }, rules: { maxAttempts: 2 } })
  const id = await add(scene, { template: 'password_changed', userId: scene.addPerson() })
  scene.startWorker()
  const row = await settled(scene, id)
  assert.deepEqual([row.state, row.attempts], ['failed', 2])
  assert.match(row.failure, /cannot be reached/)
})

test('two workers send each mail once', async () => {
  await using scene = await openScene()
  const userId = scene.addPerson()
  const ids = await Promise.all(
    Array.from({ length: 60 }, (_, i) => add(scene, i % 2 ? { ...announcement, userId } : { template: 'password_changed', userId })),
  )
  scene.startWorker({ leaseSeconds: 120 })
  scene.startWorker({ leaseSeconds: 120 })
  for (const id of ids) assert.equal((await settled(scene, id)).attempts, 1)
  assert.equal(scene.mailServer.read.length, 60)
  assert.equal(new Set(scene.mailServer.read.map(({ messageId }) => messageId)).size, 60)
})

test('a code does not stand behind announcements', async () => {
  const { promise: held, resolve: release } = Promise.withResolvers<void>()
  await using scene = await openScene({
    mailServer: { reply: (mail) => (mail.email.subject === 'News' ? held.then(() => 'take' as const) : 'take') },
  })
  const userId = scene.addPerson()
  const announcements = await Promise.all(Array.from({ length: 20 }, () => add(scene, { ...announcement, userId })))
  scene.startWorker()
  await until('announcements on their way', () => scene.mailServer.read.length >= 2)
  const code = await add(scene, { template: 'verify_email', challengeId: addChallenge(scene, {}) })
  assert.equal((await settled(scene, code)).state, 'delivered')
  assert.equal(scene.mailServer.taken.length, 1)
  release()
  for (const id of announcements) await settled(scene, id)
})

test('while more codes wait than their lanes take, announcements wait in every replica', async () => {
  const codes = 80
  const read: string[] = []
  await using scene = await openScene({
    mailServer: {
      reply({ email: { subject = '' } }) {
        read.push(subject)
        return new Promise((resolve) => setTimeout(() => resolve('take'), 20))
      },
    },
  })
  const userId = scene.addPerson()
  const announcements = await Promise.all(Array.from({ length: 20 }, () => add(scene, { ...announcement, userId })))
  const urgent = await Promise.all(Array.from({ length: codes }, () => add(scene, { template: 'password_changed', userId })))
  const concurrency = { urgent: 1, ordinary: 3 }
  scene.startWorker({ concurrency })
  scene.startWorker({ concurrency })
  for (const id of [...announcements, ...urgent]) assert.equal((await settled(scene, id)).state, 'delivered')
  const before = read.indexOf('News')
  // Four for the connection of each urgent lane are in its hands, and one for each connection of the other lanes.
  assert.ok(codes - before <= 2 * (4 + 3), `the first announcement went before ${codes - before} of ${codes} codes`)
})

test('a code that the mail server has no room for goes before the announcements that it has put off too', async () => {
  let room = 0
  let lastNews = 0
  let codes = 0
  const taken: string[] = []
  await using scene = await openScene({
    mailServer: {
      reply({ email: { subject = '' } }) {
        if (subject === 'News') lastNews = performance.now()
        else codes++
        if (room === 0) return { code: 421 }
        room--
        taken.push(subject)
        return 'take'
      },
    },
    rules: { maxAttempts: 100, firstDelaySeconds: 1, maxDelaySeconds: 1 },
  })
  const userId = scene.addPerson()
  const announcements = await Promise.all(Array.from({ length: 20 }, () => add(scene, { ...announcement, userId })))
  scene.startWorker()
  await until('announcements that were put off', () => scene.mailServer.read.length >= 20)
  const code = await add(scene, { template: 'verify_email', challengeId: addChallenge(scene, {}) })
  // Each of them is due within a second.
  await until('the code to be put off, and the announcements to stand aside', () => codes > 0 && performance.now() - lastNews > 1_200)
  room = 1
  await until('a mail to be taken', () => taken.length === 1)
  assert.notEqual(taken[0], 'News')
  assert.equal((await settled(scene, code)).state, 'delivered')
  room = 20
  for (const id of announcements) assert.equal((await settled(scene, id)).state, 'delivered')
})

test('while auth is away a mail waits without using up its tries, and goes when auth is back', async () => {
  await using scene = await openScene({ rules: { maxAttempts: 1 } })
  scene.peers.away = true
  const id = await add(scene, { template: 'verify_email', challengeId: addChallenge(scene, {}) })
  scene.startWorker()
  await until('some postponements', async () => {
    const { postponements } = await scene.db.selectFrom('deliveries').select('postponements').executeTakeFirstOrThrow()
    return postponements > 3
  })
  scene.peers.away = false
  const row = await settled(scene, id)
  assert.deepEqual([row.state, row.attempts], ['delivered', 1])
})

test('what a peer keeps from being tried for too long is given up', async () => {
  await using scene = await openScene({ rules: { maxAgeSeconds: 0.2 } })
  scene.peers.away = true
  const id = await add(scene, { template: 'verify_email', challengeId: addChallenge(scene, {}) })
  scene.startWorker()
  const row = await settled(scene, id)
  assert.deepEqual([row.state, row.failure], ['failed', 'auth is away'])
})

test('an expired secret is replaced by another one under another Message-ID', async () => {
  let refusals = 0
  await using scene = await openScene({ mailServer: { reply: () => (refusals++ === 0 ? { code: 451 } : 'take') } })
  const id = await add(scene, {
    template: 'verify_email',
    challengeId: addChallenge(scene, {}, { code: '', codeExpireSeconds: 0n }, { code: '777777' }),
  })
  scene.startWorker()
  assert.equal((await settled(scene, id)).state, 'delivered')
  const [first, , second] = scene.peers.revealed
  assert.equal(scene.mailServer.read[0]?.messageId, `<${first}@example.com>`)
  assert.equal(scene.mailServer.taken[0]?.messageId, `<${second}@example.com>`)
  assert.notEqual(first, second)
  assert.match(scene.mailServer.taken[0]?.email.text ?? '', /777777/)
})

test('a challenge that ended meanwhile is not mailed, nor one that never was, nor one with nothing to say', async () => {
  let refusals = 0
  await using scene = await openScene({ mailServer: { reply: () => (refusals++ === 0 ? { code: 451 } : 'take') } })
  const ended = uuidv7()
  scene.peers.secrets.set(`${scene.tenant} ${ended}`, ({ count }) => {
    if (count > 1) throw challengeOver()
    return signUpSecret('ada@example.com')
  })
  const ids = [
    await add(scene, { template: 'verify_email', challengeId: ended }),
    await add(scene, { template: 'verify_email', challengeId: uuidv7() }),
    await add(scene, { template: 'reset_password', challengeId: addChallenge(scene, { purpose: ChallengePurpose.NOTHING, address: '' }) }),
  ]
  scene.startWorker()
  for (const id of ids) assert.equal((await settled(scene, id)).state, 'suppressed')
  assert.equal(scene.mailServer.taken.length, 0)
})

test('the purpose that auth reveals decides which mail it is', async () => {
  await using scene = await openScene()
  const id = await add(scene, {
    template: 'verify_email',
    challengeId: addChallenge(scene, { purpose: ChallengePurpose.ALREADY_REGISTERED, token: '', code: '', name: 'http://evil.example' }),
  })
  scene.startWorker()
  await settled(scene, id)
  const [mail] = scene.mailServer.taken
  assert.equal(mail?.email.subject, 'You already have an account')
  assert.doesNotMatch(mail?.raw ?? '', /evil|token=/)
})

test('nobody who is suspended, gone or unknown is mailed', async () => {
  await using scene = await openScene()
  const readers = [scene.addPerson({ state: User_State.SUSPENDED }), scene.addPerson({ state: User_State.DELETED, email: '' }), uuidv7()]
  const ids = await Promise.all(readers.map((userId) => add(scene, { ...announcement, userId })))
  scene.startWorker()
  for (const id of ids) assert.equal((await settled(scene, id)).state, 'suppressed')
  assert.equal(scene.mailServer.read.length, 0)
})

test('a mail for later waits', async () => {
  await using scene = await openScene()
  const userId = scene.addPerson()
  const later = await add(scene, { ...announcement, userId, sendTime: new Date(Date.now() + 3_600_000) })
  const now = await add(scene, { ...announcement, userId, sendTime: new Date(0) })
  scene.startWorker()
  await settled(scene, now)
  assert.equal((await findNotification(scene.db, scene.tenant, later))?.state, 'pending')
})

test('a worker that ends lets the mails on their way arrive and leaves the others', async () => {
  const { promise: held, resolve: release } = Promise.withResolvers<void>()
  await using scene = await openScene({ mailServer: { reply: () => held.then(() => 'take' as const) } })
  const userId = scene.addPerson()
  for (let i = 0; i < 10; i++) await add(scene, { template: 'password_changed', userId })
  const worker = scene.startWorker({ concurrency: { urgent: 3, ordinary: 1 } })
  await until('three mails on their way', () => scene.mailServer.read.length === 3)
  const ended = worker[Symbol.asyncDispose]()
  release()
  await ended
  const states = await scene.db.selectFrom('deliveries').select('state').execute()
  assert.equal(states.filter(({ state }) => state === 'delivered').length, 3)
  assert.equal(states.filter(({ state }) => state === 'pending').length, 7)
})

test('a mail that finds no connection in time is given back unsent and uncounted, to whoever has one', async () => {
  const { promise: held, resolve: release } = Promise.withResolvers<void>()
  let reads = 0
  await using scene = await openScene({ mailServer: { reply: () => (reads++ === 0 ? held.then(() => 'take' as const) : 'take') } })
  const userId = scene.addPerson()
  const ids = [await add(scene, { template: 'password_changed', userId }), await add(scene, { template: 'password_changed', userId })]
  scene.startWorker({ concurrency: { urgent: 1, ordinary: 1 }, leaseSeconds: 2.4 })
  await until('the first on its way', () => scene.mailServer.read.length === 1)
  await new Promise((resolve) => setTimeout(resolve, 900))
  release()
  for (const id of ids) assert.equal((await settled(scene, id)).state, 'delivered')
  assert.equal(scene.mailServer.taken.length, 2)
  const rows = await scene.db.selectFrom('deliveries').select(['attempts', 'postponements']).orderBy('postponements').execute()
  assert.deepEqual(rows.at(0), { attempts: 1, postponements: 0 })
  assert.equal(rows.at(1)?.attempts, 1)
  assert.ok((rows.at(1)?.postponements ?? 0) > 0)
})
