import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { ChallengePurpose } from '@gatehouse/contracts/gatehouse/auth/v1/challenge_service_pb'
import {
  EmailChangedSchema,
  EmailChangeRequestedSchema,
  EmailSignInRequestedSchema,
  EmailVerificationRequestedSchema,
  InvitationRequestedSchema,
  PasswordChangedSchema,
  PasswordResetRequestedSchema,
  RefreshTokenReusedSchema,
} from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { NotificationDeliveredSchema } from '@gatehouse/contracts/gatehouse/notification/v1/events_pb'
import { UserDeletedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { connectNats, type Envelope, subscribe } from '@gatehouse/events'
import { v7 as uuidv7 } from 'uuid'
import { openStory } from './open-story.ts'
import { signUpSecret } from './peers.ts'
import { until } from './until.ts'

const story = await openStory()
after(() => story[Symbol.asyncDispose]())
const { mailServer, peers } = story

const mailTo = (address: string) => until(`a mail to ${address}`, () => mailServer.taken.find(({ to }) => to === address))

test('a sign-up event becomes a mail within 300 ms', async () => {
  const send = async () => {
    const challengeId = uuidv7()
    const address = `${challengeId}@example.com`
    peers.secrets.set(`default ${challengeId}`, () => signUpSecret(address))
    const start = performance.now()
    await story.tell('auth', EmailVerificationRequestedSchema, { challengeId, version: 1n })
    const mail = await mailTo(address)
    assert.match(mail.email.text ?? '', /048213/)
    return performance.now() - start
  }
  await send()
  const took = [await send(), await send(), await send(), await send(), await send()]
  assert.ok(Math.min(...took) < 300, `took ${took.join(', ')} ms`)
})

test('each event of auth is the mail that it stands for', async () => {
  const challenges = [
    [PasswordResetRequestedSchema, ChallengePurpose.RESET_PASSWORD, 'Set a new password', '/reset#token='],
    [EmailSignInRequestedSchema, ChallengePurpose.EMAIL_SIGN_IN, 'Sign in to Gatehouse', '/sign-in-link#token='],
    [InvitationRequestedSchema, ChallengePurpose.ACCEPT_INVITATION, 'You are invited to Gatehouse', '/invitation#token='],
    [EmailChangeRequestedSchema, ChallengePurpose.CHANGE_EMAIL, 'Confirm your new e-mail address', '/change-email#token='],
  ] as const
  for (const [schema, purpose, subject, path] of challenges) {
    const challengeId = uuidv7()
    const address = `${challengeId}@example.com`
    peers.secrets.set(`default ${challengeId}`, () => signUpSecret(address, { purpose, ...(path.startsWith('/inv') && { code: '' }) }))
    await story.tell('auth', schema, { challengeId, version: 1n })
    const { email } = await mailTo(address)
    assert.equal(email.subject, subject)
    assert.ok(email.html?.includes(path) && email.text?.includes(path))
  }

  const userId = story.addPerson({ email: 'grace@example.com', locale: 'de' })
  await story.tell('auth', PasswordChangedSchema, { userId, version: 2n })
  await until('the warning', () => mailServer.taken.find(({ email }) => email.subject === 'Ihr Passwort wurde geändert'))
  await story.tell('auth', RefreshTokenReusedSchema, { userId, sessionId: uuidv7(), version: 2n })
  await until('the alert', () => mailServer.taken.find(({ email }) => email.subject === 'Sicherheitshinweis: Eine Sitzung wurde beendet'))

  const challengeId = uuidv7()
  peers.secrets.set(`default ${challengeId}`, () =>
    signUpSecret('old@example.com', { purpose: ChallengePurpose.EMAIL_CHANGED, token: '', code: '' }),
  )
  await story.tell('auth', EmailChangedSchema, { challengeId, userId, version: 1n })
  assert.equal((await mailTo('old@example.com')).email.subject, 'Your e-mail address was changed')
})

test('a delivered mail is told to the world without anything personal', async () => {
  const told: Envelope[] = []
  await using nats = connectNats({ url: story.nats.url, name: 'story' })
  await using _subscription = subscribe({
    nats,
    name: 'story',
    events: [NotificationDeliveredSchema],
    onEvent: (_, envelope) => void told.push(envelope),
  })
  const billing = await story.asWorkload('billing')
  const userId = story.addPerson()
  const { notification } = await billing.sendNotification({
    template: 'announcement',
    recipient: userId,
    data: { title: 'News', text: 'Hello' },
  })
  const envelope = await until('the event', () => told.find(({ key }) => key === notification?.id))
  assert.equal(envelope.tenant, 'default')
})

test('the mail of somebody who was deleted is stopped', async () => {
  const billing = await story.asWorkload('billing')
  const userId = story.addPerson()
  const later = { seconds: BigInt(Math.floor(Date.now() / 1000) + 3600), nanos: 0 }
  const { notification } = await billing.sendNotification({
    template: 'announcement',
    recipient: userId,
    data: { title: 'News', text: 'Hello' },
    sendTime: later,
  })
  await story.tell('user', UserDeletedSchema, { userId, version: 5n })
  await until(
    'the mail to be stopped',
    async () => (await billing.getNotification({ id: notification?.id ?? '' })).notification?.state === 6,
  )
})
