import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertionOf } from './oidc-upstream.ts'
import { UpstreamUnbelieved } from './upstream-assertion.ts'

const entra = 'https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0'
const verified = (issuer: string, claims: Record<string, unknown>) =>
  assertionOf(issuer, 's', { email: 'ada@corp.example', ...claims }).emailVerified

test('a mailbox is proven by a true of the issuer, and by nothing that looks like one', () => {
  assert.equal(verified('https://idp.example', { email_verified: true }), true)
  for (const value of ['true', 1, '1', {}, null, false]) assert.equal(verified('https://idp.example', { email_verified: value }), false)
  assert.equal(verified('https://idp.example', { email_verified: true, email: 'no address' }), false)
})

test('of Entra, and of nobody else, the owner of the domain is taken for it', () => {
  assert.equal(verified(entra, { xms_edov: true }), true)
  assert.equal(verified(entra, { xms_edov: 'true' }), false)
  assert.equal(verified('https://idp.example', { xms_edov: true }), false)
})

test('a subject is no empty text, nor one without an end', () => {
  for (const subject of ['', 'x'.repeat(256)]) assert.throws(() => assertionOf(entra, subject, {}), UpstreamUnbelieved)
  assert.equal(assertionOf(entra, 'x'.repeat(255), {}).email, '')
})
