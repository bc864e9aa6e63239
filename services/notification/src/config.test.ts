import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, readConfig } from '@gatehouse/config'
import { rules, upgradesToTls, variables } from './config.ts'

const production = {
  GATEHOUSE_MODE: 'production',
  PUBLIC_ORIGIN: 'https://id.example.com',
  GRPC_PORT: '9103',
  WEB_PORT: '9303',
  METRICS_PORT: '9203',
  DATABASE_URL: 'postgres://gatehouse_notification:kZ83hfLw0qpXyT2v@db/gatehouse?sslmode=verify-full',
  NATS_URL: 'tls://notification:kZ83hfLw0qpXyT2vWq@nats:4222',
  WORKLOAD_KEY_FILE: '/keys/notification.json',
  WORKLOAD_JWKS_FILE: '/keys/jwks.json',
  USER_URL: 'user:9101',
  AUTH_URL: 'auth:9102',
  GRPC_TLS_CERT_FILE: '/tls/cert.pem',
  GRPC_TLS_KEY_FILE: '/tls/key.pem',
  GRPC_TLS_CA_FILE: '/tls/ca.pem',
  REQUEST_KEY: Buffer.from('0kX9vQ2mL7pR4tY8wZ3nB6cD1fG5hJ0s').toString('base64'),
  SMTP_URL: 'smtp://mail.example.com:587',
  SMTP_USER: 'gatehouse',
  SMTP_PASSWORD: 'kZ83hfLw0qpXyT2v',
  MAIL_FROM: 'Gatehouse <no-reply@example.com>',
}

function problemsOf(changes: Record<string, string | undefined>): readonly string[] {
  try {
    readConfig(variables, { ...production, ...changes }, rules)
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.problems
  }
}

test('a whole production configuration holds, and demands TLS of the mail server', () => {
  assert.deepEqual(problemsOf({}), [])
  assert.ok(upgradesToTls(readConfig(variables, production, rules)))
})

test('mail in plaintext is refused in production unless something else encrypts it', () => {
  assert.match(problemsOf({ SMTP_STARTTLS: 'off' }).join(), /SMTP_STARTTLS/)
  assert.deepEqual(problemsOf({ SMTP_STARTTLS: 'off', TLS_BY_MESH: '1' }), [])
  assert.deepEqual(problemsOf({ SMTP_STARTTLS: 'off', SMTP_URL: 'smtps://mail.example.com' }), [])
})

test('the sender is one mailbox', () => {
  const from = (MAIL_FROM: string) => readConfig(variables, { ...production, MAIL_FROM }, rules).mailFrom
  assert.deepEqual(from('Gatehouse at ACME <no-reply@example.com>'), { name: 'Gatehouse at ACME', address: 'no-reply@example.com' })
  assert.deepEqual(from('no-reply@example.com'), { name: '', address: 'no-reply@example.com' })
  for (const wrong of ['nobody', 'a@b, c@d', '<a@b> <c@d>', 'x <a b@c>'])
    assert.match(problemsOf({ MAIL_FROM: wrong }).join(), /MAIL_FROM/, wrong)
})

test('a notification is kept as long as the request that made it', () => {
  assert.match(problemsOf({ NOTIFICATIONS_KEPT: '20d' }).join(), /NOTIFICATIONS_KEPT has to be no less than REQUESTS_KEPT/)
  assert.deepEqual(problemsOf({ NOTIFICATIONS_KEPT: '20d', REQUESTS_KEPT: '7d' }), [])
  assert.match(problemsOf({ REQUESTS_KEPT: '10m' }).join(), /REQUESTS_KEPT has to be 1h or more/)
})

test('every problem is listed at once', () => {
  const problems = problemsOf({ SMTP_URL: undefined, MAIL_FROM: undefined, USER_URL: undefined, MAIL_ATTEMPTS: 'many' }).join('\n')
  for (const name of ['SMTP_URL', 'MAIL_FROM', 'USER_URL', 'MAIL_ATTEMPTS']) assert.ok(problems.includes(name), name)
  assert.match(problemsOf({ DKIM_DOMAIN: 'example.com' }).join(), /go together/)
  assert.match(problemsOf({ SMTP_PASSWORD: undefined }).join(), /go together/)
  assert.match(problemsOf({ SMTP_URL: 'smtp://gatehouse:kZ83hfLw0qpXyT2v@mail.example.com' }).join(), /no place for credentials/)
})
