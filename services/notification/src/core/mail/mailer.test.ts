import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { type MailServerOptions, startMailServer } from '../../../test/mail-server.ts'
import { mailerDefaults } from '../../../test/scene.ts'
import { classifyFailure } from './classify-failure.ts'
import { createMailer, type MailerOptions } from './mailer.ts'
import type { OutgoingMail } from './write-mail.ts'

const mail: OutgoingMail = {
  deliveryId: 'd1',
  to: 'ada@example.com',
  subject: 'Hello',
  html: '<p>Hello</p>',
  text: 'Hello',
  optional: false,
}

async function send(outgoing: Partial<OutgoingMail>, mailing: Partial<MailerOptions> = {}, manners: MailServerOptions = {}) {
  await using server = await startMailServer(manners)
  await using mailer = createMailer({ ...mailerDefaults, port: server.port, timeoutMs: 2000, ...mailing })
  try {
    await mailer.send({ ...mail, ...outgoing }, new AbortController().signal)
    return { taken: server.taken, read: server.read, failure: undefined }
  } catch (error) {
    return { taken: server.taken, read: server.read, failure: classifyFailure(error) }
  }
}

test('nothing in a mail can add a header, a recipient or a command', async () => {
  const { taken } = await send({ subject: 'Hi\r\nBcc: eve@example.com\r\n\r\nbody', text: '.\r\nMAIL FROM:<eve@example.com>\r\n.\r\n' })
  assert.equal(taken.length, 1)
  assert.equal(taken[0]?.email.bcc, undefined)
  assert.equal(taken[0]?.to, 'ada@example.com')
  assert.match(taken[0]?.email.text ?? '', /MAIL FROM:<eve@example.com>/)
})

test('an address is one address or none', async () => {
  for (const to of [
    'ada@example.com, eve@example.com',
    'ada@example.com\r\nRCPT TO:<eve@example.com>',
    'ada@example.com> SIZE=1',
    'no address',
  ]) {
    const { taken } = await send({ to })
    assert.ok(
      taken.every((each) => !each.to.includes('eve@example.com') || each.to === to),
      to,
    )
    assert.ok(taken.length <= 1)
  }
})

test('only mails that a reader can do without say how to get no more', async () => {
  const unsubscribe = 'mailto:stop@example.com'
  const header = async (optional: boolean) =>
    (await send({ optional }, { unsubscribe })).taken[0]?.email.headers.find(({ key }) => key === 'list-unsubscribe')?.value
  assert.deepEqual([await header(true), await header(false)], ['<mailto:stop@example.com>', undefined])
})

test('mail is signed where there is a key', async () => {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  const { taken } = await send({}, { dkim: { domain: 'example.com', selector: 's1', privateKey: () => privateKey } })
  assert.match(taken[0]?.raw ?? '', /^DKIM-Signature: v=1; a=rsa-sha256;[\s\S]*d=example\.com;[\s\S]*s=s1;/m)
})

test('a mail server without TLS gets nothing where TLS is required', async () => {
  const { read, failure } = await send({}, { security: 'starttls' })
  assert.equal(read.length, 0)
  assert.equal(failure?.transient, true)
})

test('a mail server whose certificate nobody vouches for gets nothing', async () => {
  const offered = await send({}, { security: 'starttls' }, { disabledCommands: [] })
  const fromTheStart = await send({}, { security: 'tls' }, { secure: true })
  for (const { read, failure } of [offered, fromTheStart]) {
    assert.equal(read.length, 0)
    assert.equal(failure?.transient, true)
  }
})

test('the mail server is told who we are, and a wrong password is for later', async () => {
  const manners: MailServerOptions = {
    authOptional: false,
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _session, done) =>
      username === 'gatehouse' && password === 'right'
        ? done(null, { user: username })
        : done(Object.assign(new Error('no'), { responseCode: 535 })),
  }
  assert.equal((await send({}, { user: 'gatehouse', password: () => 'right' }, manners)).taken.length, 1)
  assert.equal((await send({}, { user: 'gatehouse', password: () => 'wrong' }, manners)).failure?.transient, true)
})

test('a password is replaced between two mails, and a mail that is under way ends as it began', async () => {
  let right = 'before'
  let ours = 'before'
  const { promise: held, resolve: release } = Promise.withResolvers<void>()
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>()
  let holds = true
  await using server = await startMailServer({
    authOptional: false,
    allowInsecureAuth: true,
    onAuth: ({ password }, _session, done) =>
      password === right ? done(null, { user: 'gatehouse' }) : done(Object.assign(new Error('no'), { responseCode: 535 })),
    onMailFrom: (_address, _session, done) => {
      if (!holds) return done()
      holds = false
      reach()
      void held.then(() => done())
    },
  })
  await using mailer = createMailer({ ...mailerDefaults, port: server.port, timeoutMs: 5000, user: 'gatehouse', password: () => ours })
  const { signal } = new AbortController()
  const underWay = mailer.send({ ...mail, subject: 'under way' }, signal)
  await reached
  right = 'after'
  ours = 'after'
  await mailer.send({ ...mail, subject: 'afterwards' }, signal)
  release()
  await underWay
  assert.deepEqual(
    server.taken.map(({ email }) => email.subject),
    ['afterwards', 'under way'],
  )
})

test('a mail server that keeps talking without an end is left', async () => {
  const { promise: held, resolve: release } = Promise.withResolvers<void>()
  const start = performance.now()
  const { failure } = await send({}, { sendTimeoutMs: 300 }, { reply: () => held.then(() => 'take' as const) })
  assert.equal(failure?.transient, true)
  assert.ok(performance.now() - start < 2000)
  release()
})
