import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { decodeAttestationObject, parseAuthenticatorData } from '@simplewebauthn/server/helpers'
import { base64url, flag } from '../../../test/software-authenticator.ts'
import { signAs, vectorOf, vectorParty, vectors, type WebauthnVector } from '../../../test/webauthn-vectors.ts'
import type { PasskeyRow } from '../../store/passkeys.ts'
import { readAssertion } from './read-answer.ts'
import { verifyAssertion } from './verify-assertion.ts'
import { verifyRegistration } from './verify-registration.ts'

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex')

function verifyRegistrationOf(vector: WebauthnVector, attestationObject = bytes(vector.registration.attestationObject)) {
  const id = base64url(bytes(vector.credentialId))
  const { challenge, clientDataJSON } = vector.registration
  const response = { clientDataJSON: base64url(bytes(clientDataJSON)), attestationObject: base64url(attestationObject) }
  const answer = JSON.stringify({ id, rawId: id, type: 'public-key', response })
  return verifyRegistration({ relyingParty: vectorParty, challenge: bytes(challenge) }, answer)
}

/** The same registration with these bits set: what is not attested is not signed. */
function withFlags(vector: WebauthnVector, set: number): Buffer {
  const object = bytes(vector.registration.attestationObject)
  const at = object.indexOf(createHash('sha256').update(vectorParty.id).digest()) + 32
  object.writeUInt8(object.readUInt8(at) | set, at)
  return object
}

/** A passkey whose registration was believed, whatever came with it. */
function rowOf(vector: WebauthnVector): PasskeyRow {
  const object = decodeAttestationObject(Uint8Array.from(bytes(vector.registration.attestationObject)))
  const { credentialPublicKey = new Uint8Array(), flags } = parseAuthenticatorData(Uint8Array.from(object.get('authData')))
  return {
    tenant: 'vectors',
    id: '0199f1f2-0000-7000-8000-000000000001',
    user_id: '0199f1f2-0000-7000-8000-000000000002',
    credential_id: bytes(vector.credentialId),
    public_key: credentialPublicKey,
    sign_count: 0n,
    transports: [],
    backup_eligible: flags.be,
    backed_up: flags.bs,
    name: vector.name,
    create_time: new Date(),
    last_use_time: null,
  }
}

function verifyAuthenticationOf(vector: WebauthnVector, changed: { authenticatorData?: Buffer; signature?: Buffer } = {}) {
  const id = base64url(bytes(vector.credentialId))
  const { challenge, clientDataJSON, authenticatorData, signature } = vector.authentication
  const response = {
    clientDataJSON: base64url(bytes(clientDataJSON)),
    authenticatorData: base64url(changed.authenticatorData ?? bytes(authenticatorData)),
    signature: base64url(changed.signature ?? bytes(signature)),
  }
  const answer = readAssertion(JSON.stringify({ id, rawId: id, type: 'public-key', response }))
  return verifyAssertion({ relyingParty: vectorParty, challenge: bytes(challenge) }, answer, rowOf(vector))
}

/** The same authentication with these bits set, signed anew with the vector's private key. */
function signedAnew(vector: WebauthnVector, set: number): { authenticatorData: Buffer; signature: Buffer } {
  const authenticatorData = bytes(vector.authentication.authenticatorData)
  authenticatorData.writeUInt8(authenticatorData.readUInt8(32) | set, 32)
  const hash = createHash('sha256').update(bytes(vector.authentication.clientDataJSON)).digest()
  return { authenticatorData, signature: signAs(vector, Buffer.concat([authenticatorData, hash])) }
}

const problem = (message: RegExp) => ({ name: 'PasskeyProblem', message })
const notVerified = problem(/User verification was required|User verification required/)
const inFrame = problem(/frame of another origin/)

/** Those that carry what was not asked for are refused whatever it says. */
const asRecorded: Readonly<Record<string, { registration?: object; authentication?: object }>> = {
  'none.ES256': { registration: notVerified, authentication: notVerified },
  'packed-self.ES256': { authentication: notVerified },
  'none.ES256.crossOrigin': { registration: inFrame, authentication: inFrame },
  'none.ES256.topOrigin': { registration: inFrame, authentication: inFrame },
  'none.ES256.long-credential-id': { registration: notVerified },
  'packed.ES256': { registration: problem(/attestation that nobody asked for/) },
  'packed.ES384': { registration: problem(/attestation that nobody asked for/) },
  'packed.RS256': { registration: problem(/attestation that nobody asked for/), authentication: notVerified },
  'packed.EdDSA': { registration: problem(/attestation that nobody asked for/), authentication: notVerified },
}

test('the vectors of the specification are accepted and refused as they stand', async () => {
  for (const vector of vectors) {
    const { registration, authentication } = asRecorded[vector.name] ?? {}
    if (registration) await assert.rejects(verifyRegistrationOf(vector), registration, `registration of ${vector.name}`)
    else assert.equal(base64url((await verifyRegistrationOf(vector)).credentialId), base64url(bytes(vector.credentialId)), vector.name)
    if (authentication) await assert.rejects(verifyAuthenticationOf(vector), authentication, `authentication of ${vector.name}`)
    else assert.equal((await verifyAuthenticationOf(vector)).signCount, 0, vector.name)
  }
})

test('those that did not verify their owner are accepted once they do, whatever their algorithm, a credential id of 1023 bytes among them', async () => {
  for (const name of ['none.ES256', 'none.ES256.long-credential-id']) {
    const vector = vectorOf(name)
    const made = await verifyRegistrationOf(vector, withFlags(vector, flag.verified))
    assert.deepEqual([made.credentialId.length, made.signCount], [vector.credentialId.length / 2, 0])
  }
  for (const name of ['none.ES256', 'packed-self.ES256', 'packed.EdDSA', 'packed.RS256']) {
    const vector = vectorOf(name)
    const anew = signedAnew(vector, flag.verified)
    const { backedUp } = await verifyAuthenticationOf(vector, anew)
    assert.equal(backedUp, name === 'none.ES256' || name === 'packed.RS256')
    anew.signature.writeUInt8(anew.signature.readUInt8(9) ^ 1, 9)
    await assert.rejects(verifyAuthenticationOf(vector, anew), { name: 'PasskeyProblem' }, name)
  }
})

test('a bit of the signature, or of what is signed, makes another passkey of it', async () => {
  for (const name of ['packed.ES256', 'none.ES256.long-credential-id']) {
    const vector = vectorOf(name)
    assert.ok(await verifyAuthenticationOf(vector))
    const signature = bytes(vector.authentication.signature)
    signature.writeUInt8(signature.readUInt8(signature.length - 1) ^ 1, signature.length - 1)
    await assert.rejects(verifyAuthenticationOf(vector, { signature }), problem(/signature does not verify/))
    const authenticatorData = bytes(vector.authentication.authenticatorData)
    authenticatorData.writeUInt32BE(7, 33)
    await assert.rejects(verifyAuthenticationOf(vector, { authenticatorData }), problem(/signature does not verify/))
  }
})
