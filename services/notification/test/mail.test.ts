import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { ChallengePurpose } from '@gatehouse/contracts/gatehouse/auth/v1/challenge_service_pb'
import {
  EmailChangedSchema,
  EmailChangeRequestedSchema,
  EmailSignInRequestedSchema,
  EmailVerificationRequestedSchema,
  FactorsChangedSchema,
  InvitationRequestedSchema,
  PasswordChangedSchema,
  PasswordResetRequestedSchema,
  RefreshTokenReusedSchema,
  SuspiciousActivitySchema,
} from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { SuspicionKind } from '@gatehouse/contracts/gatehouse/auth/v1/suspicion_pb'
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

  const keptOut = story.addPerson({ email: 'kept-out@example.com' })
  await story.tell('auth', FactorsChangedSchema, { userId: keptOut, version: 2n, change: 'recovery_codes_removed' })
  const removed = (await mailTo('kept-out@example.com')).email
  assert.deepEqual([removed.subject, removed.text?.includes('recovery codes were just removed')], ['A way to sign in was removed', true])

  const linked = story.addPerson({ email: 'linked@example.com' })
  await story.tell('auth', FactorsChangedSchema, { userId: linked, version: 2n, change: 'identity_linked' })
  assert.equal((await mailTo('linked@example.com')).email.subject, 'A sign-in was connected to your account')

  const elsewhere = uuidv7()
  peers.secrets.set(`default ${elsewhere}`, () =>
    signUpSecret('corp@example.com', { purpose: ChallengePurpose.SIGN_IN_ELSEWHERE, token: '', code: '' }),
  )
  await story.tell('auth', PasswordResetRequestedSchema, { challengeId: elsewhere, version: 1n })
  const { subject, text } = (await mailTo('corp@example.com')).email
  assert.deepEqual([subject, text?.includes('#token')], ['Sign in with your organisation’s account', false])

  const challengeId = uuidv7()
  peers.secrets.set(`default ${challengeId}`, () =>
    signUpSecret('old@example.com', { purpose: ChallengePurpose.EMAIL_CHANGED, token: '', code: '' }),
  )
  await story.tell('auth', EmailChangedSchema, { challengeId, userId, version: 1n })
  assert.equal((await mailTo('old@example.com')).email.subject, 'Your e-mail address was changed')
})

test('what is suspicious is asked about in the words of its kind, with a link, and never in words of the program that did it', async () => {
  const { NEW_DEVICE, NEW_NETWORK, PASSWORD_GUESSED, MANY_ACCOUNTS, IMPOSSIBLE_RATE, REFRESH_TOKEN_REUSED } = SuspicionKind
  const told = [
    [[NEW_DEVICE], 'New sign-in to your account', /at Gatehouse on a device that we do not know\.$/m],
    [[NEW_DEVICE, NEW_NETWORK], 'New sign-in to your account', /do not know, from a network that you have not used lately\.$/m],
    [[NEW_NETWORK], 'New sign-in to your account', /at Gatehouse, from a network/],
    [[PASSWORD_GUESSED], 'Security alert: was this you?', /^Wrong passwords were tried/m],
    [[IMPOSSIBLE_RATE], 'Security alert: was this you?', /more often within a minute/],
    [[MANY_ACCOUNTS], 'Security alert: was this you?', /wrong ones at many other accounts/],
    [[REFRESH_TOKEN_REUSED], 'Security alert: a session was ended', /We have ended it/],
  ] as const
  const userId = story.addPerson()
  for (const [kinds, subject, words] of told) {
    const challengeId = uuidv7()
    const address = `${challengeId}@example.com`
    const suspicion = {
      kinds: [...kinds],
      time: timestampFromDate(new Date('2026-03-01T08:30:00Z')),
      userAgent: 'Your account was hacked, call +1 555 0100',
      network: '198.51.100.0/24',
    }
    peers.secrets.set(`default ${challengeId}`, () =>
      signUpSecret(address, { purpose: ChallengePurpose.SUSPICIOUS_ACTIVITY, code: '', suspicion }),
    )
    await story.tell('auth', SuspiciousActivitySchema, {
      activityId: challengeId,
      challengeId,
      userId,
      kinds: [...kinds],
      version: 1n,
    })
    const { email } = await mailTo(address)
    assert.equal(email.subject, subject)
    assert.match(email.text ?? '', words)
    assert.match(email.text ?? '', /When: 1 March 2026 at 08:30 UTC\nDevice: a program that we do not know\nNetwork: 198\.51\.100\.0\/24/)
    for (const part of [email.html, email.text]) {
      assert.ok(part?.includes('/lock-down#token='))
      assert.ok(!part?.includes('hacked'))
    }
  }
})

test('a passkey that may have been copied, guesses at a second factor, and a kind that only a newer release knows, are asked about in the reader’s language', async () => {
  const newer = 4711 as SuspicionKind
  const told = [
    [
      [SuspicionKind.PASSKEY_CLONED],
      'en',
      'Security alert: was this you?',
      /^A passkey of your account at Gatehouse .* as a copy of it would/m,
    ],
    [
      [SuspicionKind.PASSKEY_CLONED],
      'de',
      'Sicherheitshinweis: Waren Sie das?',
      /^Ein Passkey Ihres Kontos bei Gatehouse .* eine Kopie täte/m,
    ],
    [
      [SuspicionKind.SECOND_FACTOR_GUESSED],
      'en',
      'Security alert: was this you?',
      /^Wrong codes .* second factor of your account at Gatehouse, .* know your password.* choose a new password\.$/m,
    ],
    [
      [SuspicionKind.SECOND_FACTOR_GUESSED],
      'de',
      'Sicherheitshinweis: Waren Sie das?',
      /^Für Ihr Konto bei Gatehouse .* als zweiter Faktor .* kennt höchstwahrscheinlich Ihr Passwort\. .* wählen Sie ein neues Passwort\.$/m,
    ],
    [[newer], 'en', 'Security alert: was this you?', /^Something about your account at Gatehouse is unusual\.$/m],
    [[newer], 'de', 'Sicherheitshinweis: Waren Sie das?', /^Mit Ihrem Konto bei Gatehouse geschah etwas Ungewöhnliches\.$/m],
    // An auth of the release before does not know what a newer one has told, and names no kind.
    [[SuspicionKind.UNSPECIFIED], 'en', 'Security alert: was this you?', /^Something about your account at Gatehouse is unusual\.$/m],
  ] as const
  for (const [kinds, locale, subject, words] of told) {
    const challengeId = uuidv7()
    const address = `${challengeId}@example.com`
    const userId = story.addPerson({ email: address, locale })
    const suspicion = { kinds: [...kinds], time: timestampFromDate(new Date('2026-03-01T08:30:00Z')), network: '198.51.100.0/24' }
    peers.secrets.set(`default ${challengeId}`, () =>
      signUpSecret(address, { purpose: ChallengePurpose.SUSPICIOUS_ACTIVITY, code: '', locale, suspicion }),
    )
    await story.tell('auth', SuspiciousActivitySchema, { activityId: challengeId, challengeId, userId, kinds: [...kinds], version: 1n })
    const { email } = await mailTo(address)
    assert.equal(email.subject, subject)
    assert.match(email.text ?? '', words)
    for (const part of [email.html, email.text]) assert.ok(part?.includes('/lock-down#token='))
    const sentences = [/opy of it would/, /eine Kopie/, /second factor/, /zweiter Faktor/, /is unusual/, /Ungewöhnliches/].filter((one) =>
      one.test(email.text ?? ''),
    )
    assert.equal(sentences.length, 1)
  }
})

test('what nobody is to be asked about is no mail, and a session that came back is one mail', async () => {
  const userId = story.addPerson({ email: 'asked-once@example.com' })
  // All of one key, so that they are handled in their order: with the last one's mail the others would be there.
  await story.tell('auth', RefreshTokenReusedSchema, { userId, sessionId: userId, version: 2n, mailedApart: true })
  const kinds = [SuspicionKind.SUSPENDED_ACCOUNT_TRIED]
  await story.tell('auth', SuspiciousActivitySchema, { activityId: userId, challengeId: '', userId, kinds, version: 1n })
  await story.tell('auth', PasswordChangedSchema, { userId, version: 2n })
  await mailTo('asked-once@example.com')
  const { notifications } = await story.inBrowser({ tenant: 'default', id: uuidv7(), permissions: ['notification.notifications.read'] })
  const listed = await notifications.listNotifications({ userId })
  assert.deepEqual(
    listed.notifications.map(({ template }) => template),
    ['password_changed'],
  )
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
