import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { connect } from '@gatehouse/postgres'
import { SignJWT } from 'jose'
import { createKeyRing } from '../../../services/auth/src/core/keys/key-ring.ts'
import type { Schema } from '../../../services/auth/src/store/schema.ts'
import { claimsOf, type House } from './house.ts'
import { operate } from './operate.ts'

/**
 * A token of every kind that a client gets, by its name, for the person whose access token is given: from the token endpoint, and made with the key that signs
 * for the tenant. Whatever the library signs, it signs with the keys of the sign-in, so that only what a token says of itself tells them apart: `good` is the proof.
 */
export async function tokensOfClients(house: House, accessToken: string): Promise<{ good: string; refused: Record<string, string> }> {
  await operate(house.local, 'auth', 'resources add', 'urn:tills', '--audience', 'tills-api', '--scopes', 'read')
  const settings = {
    name: 'Till',
    kind: 'CLIENT_KIND_SERVICE',
    grantTypes: ['CLIENT_GRANT_TYPE_CLIENT_CREDENTIALS'],
    authMethod: 'CLIENT_AUTH_METHOD_CLIENT_SECRET_BASIC',
    resources: ['urn:tills'],
  }
  const secret = (await operate(house.local, 'auth', 'clients create', 'till', JSON.stringify(settings))).out.trim()
  const tokenOf = async (more: Record<string, string>) => {
    const authorization = `Basic ${btoa(`till:${secret}`)}`
    const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' }
    const form = String(new URLSearchParams({ grant_type: 'client_credentials', ...more }))
    return (await house.call('/oidc/token', form, { headers })).body.access_token ?? ''
  }
  const sign = await signerOf(house, claimsOf(accessToken))
  const access = { typ: 'at+jwt' }
  const events = { 'http://schemas.openid.net/event/backchannel-logout': {} }
  const refused = {
    'looked up': await tokenOf({}),
    'for a resource': await tokenOf({ resource: 'urn:tills', scope: 'read' }),
    'of a person, for a resource': await sign(access, { aud: 'tills-api', gid: randomUUID() }),
    'an ID token': await sign({ typ: 'JWT' }, { nonce: 'n' }),
    'a logout token': await sign({ typ: 'logout+jwt' }, { events }),
    'bound to a key': await sign(access, { cnf: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' } }),
  }
  assert.match(refused['looked up'], /^goa_/)
  assert.equal(claimsOf(refused['for a resource']).aud, 'tills-api')
  return { good: await sign(access, { gid: randomUUID() }), refused }
}

/** Signs with the key that signs for the tenant now; what is not said stays as it was. */
async function signerOf({ local }: House, claims: Record<string, unknown>) {
  const environment = local.environment('auth')
  await using database = connect<Schema>({ url: environment.DATABASE_URL ?? '' })
  const encryptionKey = Buffer.from(environment.AUTH_KEY_ENCRYPTION_KEY ?? '', 'base64')
  const { issuer, kid, key } = await createKeyRing({ db: database.kysely, encryptionKey, now: Date.now }).signer('default')
  return (header: { typ: string }, change: Record<string, unknown>) =>
    new SignJWT({ ...claims, iss: issuer, jti: randomUUID(), ...change }).setProtectedHeader({ alg: 'ES256', kid, ...header }).sign(key)
}
