import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import {
  base64url,
  type Changes,
  flag,
  keyOf,
  type SoftwareAuthenticator,
  softwareAuthenticator,
} from '../../../test/software-authenticator.ts'
import type { PasskeyRow } from '../../store/passkeys.ts'
import { userHandleOf } from './ceremony.ts'
import { readAssertion } from './read-answer.ts'
import { verifyAssertion } from './verify-assertion.ts'
import { verifyRegistration } from './verify-registration.ts'

const relyingParty = { id: 'id.example.com', origin: 'https://id.example.com' }
const userId = '0199f1f2-0000-7000-8000-000000000002'
const handle = base64url(userHandleOf(userId))
const challenge = randomBytes(32)
const ceremony = { relyingParty, challenge }
const creation = JSON.stringify({ challenge: base64url(challenge), rp: { id: relyingParty.id }, user: { id: handle } })
const request = JSON.stringify({ challenge: base64url(challenge), rpId: relyingParty.id })

type Wrong = readonly [what: string, changes: Changes, why: RegExp]

const { present, verified, eligible, backedUp, attested } = flag
const both: readonly Wrong[] = [
  ['another type', { type: 'payment.get' }, /response type/],
  ['another challenge', { challenge: base64url(randomBytes(32)) }, /challenge/],
  ['no challenge', { challenge: '' }, /challenge/],
  ['another port', { origin: 'https://id.example.com:8443' }, /origin/],
  ['plaintext', { origin: 'http://id.example.com' }, /origin/],
  ['a domain below', { origin: 'https://evil.id.example.com' }, /origin/],
  ['the domain above', { origin: 'https://example.com' }, /origin/],
  ['another letter case', { origin: 'https://ID.example.com' }, /origin/],
  ['a frame of another origin', { crossOrigin: true }, /frame of another origin/],
  ['a frame that is not told honestly', { crossOrigin: 'no' }, /frame of another origin/],
  ['a page above', { crossOrigin: false, topOrigin: 'https://evil.example' }, /below another page/],
  ['a page above that is our own', { topOrigin: relyingParty.origin }, /below another page/],
  ['another relying party', { rpId: 'example.com' }, /RP ID/],
]

const created = present | verified | attested
const rsa = (bits: number) => coseOf(generateKeyPairSync('rsa', { modulusLength: bits }).publicKey.export({ format: 'jwk' }))
const ed25519 = okpOf(generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }))
const p256 = keyOf(randomBytes(32)).publicKey
/** The P-256 key with one byte of its map, `{1: 2, 3: -7, -1: 1, …}`, another. */
const keyWith = (at: number, value: number) => Buffer.concat([p256.subarray(0, at), Buffer.from([value]), p256.subarray(at + 1)])

const wrongRegistrations: readonly Wrong[] = [
  ...both,
  ['an assertion', { type: 'webauthn.get' }, /response type/],
  ['nobody present', { flags: verified | attested }, /not present/],
  ['nobody verified', { flags: present | attested }, /not be verified/],
  ['backed up without being eligible', { flags: created | backedUp }, /backup|backed up/i],
  ['no credential', { flags: present | verified }, /Leftover|No credential/],
  ['ES384', { publicKey: Buffer.concat([p256.subarray(0, 4), Buffer.from([0x38, 0x22]), p256.subarray(5)]) }, /alg/],
  ['EdDSA with a P-256 key', { publicKey: keyWith(4, 0x27) }, /another kind/],
  ['P-384 with ES256', { publicKey: keyWith(6, 0x02) }, /another kind/],
  ['RSA of 1024 bits', { publicKey: rsa(1024) }, /another kind/],
  ['a credential id of 1024 bytes', { credentialId: randomBytes(1024) }, /too long/],
  ['certificates', { attestation: packedWith('63783563814130') }, /nobody asked for/],
  ['the format of an app store', { attestation: Buffer.from('63666d74656170706c656761747453746d74a0', 'hex') }, /nobody asked for/],
  ['a statement with none', { attestation: Buffer.from('63666d74646e6f6e656761747453746d74a1616100', 'hex') }, /attestation/i],
  ['a wrong signature of its own', { attestation: packedWith('') }, /./],
]

const wrongAssertions: readonly Wrong[] = [
  ...both,
  ['a registration', { type: 'webauthn.create' }, /response type/],
  ['nobody present', { flags: verified }, /not present/],
  ['nobody verified', { flags: present }, /not be verified/],
  ['backed up without being eligible', { flags: present | verified | backedUp }, /backup|backed up/i],
  ['eligible since', { flags: present | verified | eligible }, /has changed/],
  ['a credential id of 1024 bytes', { credentialId: randomBytes(1024) }, /too long/],
  ['another person', { userHandle: base64url(randomBytes(16)) }, /another person/],
  ['a handle in other words', { userHandle: `${handle}=` }, /base64url/],
  [
    'one bit of the signature',
    { signature: (right) => Buffer.concat([right.subarray(0, -1), Buffer.from([(right.at(-1) ?? 0) ^ 1])]) },
    /signature/,
  ],
  ['half a signature', { signature: (right) => right.subarray(0, right.length / 2) }, /./],
  ['no signature', { signature: () => Buffer.alloc(0) }, /signature/],
  ['another’s signature', { signature: () => Buffer.from('30060201010201 01'.replace(' ', ''), 'hex') }, /signature/],
]

function packedWith(more: string): Buffer {
  // {"alg": -7, "sig": h'00', …}
  const members = `63616c67266373696741 00${more}`.replace(' ', '')
  return Buffer.from(`63666d74667061636b65646761747453746d74a${more === '' ? 2 : 3}${members}`, 'hex')
}

/** `{1: 1, 3: -8, -1: 6, -2: x}` */
function okpOf({ x = '' }: { x?: string }): Buffer {
  return Buffer.concat([Buffer.from('a401010327200621' + '5820', 'hex'), Buffer.from(x, 'base64url')])
}

function coseOf({ n = '', e = '' }: { n?: string; e?: string }): Buffer {
  const modulus = Buffer.from(n, 'base64url')
  const length = modulus.length < 256 ? [0x58, modulus.length] : [0x59, modulus.length >> 8, modulus.length & 255]
  const head = Buffer.from([0xa4, 0x01, 0x03, 0x03, 0x39, 0x01, 0x00, 0x20, ...length])
  return Buffer.concat([head, modulus, Buffer.from([0x21, 0x43]), Buffer.from(e, 'base64url')])
}

const authenticator = (): SoftwareAuthenticator => softwareAuthenticator({ origin: relyingParty.origin })
const register = (changes: Changes) => verifyRegistration(ceremony, authenticator().register(creation, changes))

async function passkeyOf(from: SoftwareAuthenticator): Promise<PasskeyRow> {
  const made = await verifyRegistration(ceremony, from.register(creation))
  return {
    tenant: 'default',
    id: '0199f1f2-0000-7000-8000-000000000001',
    user_id: userId,
    credential_id: made.credentialId,
    public_key: made.publicKey,
    sign_count: BigInt(made.signCount),
    transports: [...made.transports],
    backup_eligible: made.backupEligible,
    backed_up: made.backedUp,
    name: 'Passkey',
    create_time: new Date(),
    last_use_time: null,
  }
}

const problem = (message: RegExp) => ({ name: 'PasskeyProblem', message })

test('a registration is refused for each single thing that is wrong with it, and accepted without', async () => {
  for (const [what, changes, why] of wrongRegistrations) await assert.rejects(register(changes), problem(why), what)
  for (const changes of [
    {},
    { flags: created | eligible },
    { flags: created | eligible | backedUp },
    { publicKey: rsa(2048) },
    { publicKey: ed25519 },
    { signCount: 7 },
  ]) {
    const made = await register(changes)
    assert.deepEqual(
      [made.backupEligible, made.backedUp, made.signCount, made.transports],
      [((changes.flags ?? 0) & eligible) !== 0, ((changes.flags ?? 0) & backedUp) !== 0, changes.signCount ?? 0, ['internal']],
    )
  }
})

test('a credential id of 1023 bytes is not too long', async () => {
  const credentialId = randomBytes(1023)
  assert.equal(base64url((await register({ credentialId })).credentialId), base64url(credentialId))
})

test('an assertion is refused for each single thing that is wrong with it, and accepted without', async () => {
  const from = authenticator()
  const passkey = await passkeyOf(from)
  const verify = async (changes: Changes, row = passkey) => verifyAssertion(ceremony, readAssertion(from.assert(request, changes)), row)
  for (const [what, changes, why] of wrongAssertions) {
    await assert.rejects(verify(changes), problem(why), what)
    assert.ok(await verify({}), `after ${what}`)
  }
  const synced = { ...passkey, backup_eligible: true }
  await assert.rejects(verify({}, synced), problem(/has changed/))
  assert.equal((await verify({ flags: present | verified | eligible | backedUp }, synced)).backedUp, true)
  assert.equal((await verify({ flags: present | verified | eligible }, synced)).backedUp, false)
  assert.ok(await verify({ userHandle: null }), 'whoever is known already need not be named')
  assert.equal((await verify({ signCount: 0xffffffff })).signCount, 0xffffffff)
})

test('an assertion of another key is refused', async () => {
  const [mine, other] = [authenticator(), authenticator()]
  const passkey = await passkeyOf(mine)
  await passkeyOf(other)
  await assert.rejects(verifyAssertion(ceremony, readAssertion(other.assert(request)), passkey), problem(/signature/))
  assert.ok(await verifyAssertion(ceremony, readAssertion(mine.assert(request)), passkey))
})

test('what is not the JSON of a credential is refused as a whole', async () => {
  const from = authenticator()
  const good = JSON.parse(from.register(creation)) as Record<string, unknown> & { response: Record<string, unknown> }
  const bad: unknown[] = [
    null,
    7,
    'text',
    [],
    {},
    { ...good, id: 'other' },
    { ...good, rawId: undefined },
    { ...good, type: 'password' },
    { ...good, response: null },
    { ...good, response: {} },
    { ...good, response: { ...good.response, clientDataJSON: 7 } },
    { ...good, response: { ...good.response, clientDataJSON: base64url(Buffer.from('7')) } },
    { ...good, response: { ...good.response, clientDataJSON: base64url(Buffer.from('null')) } },
    { ...good, response: { ...good.response, clientDataJSON: base64url(Buffer.from('{')) } },
    { ...good, response: { ...good.response, attestationObject: 'AAAA' } },
    { ...good, response: { ...good.response, attestationObject: base64url(Buffer.from('a0', 'hex')) } },
    { ...good, response: { ...good.response, attestationObject: base64url(Buffer.alloc(40_000, 0x81)) } },
  ]
  for (const value of bad)
    await assert.rejects(
      verifyRegistration(ceremony, JSON.stringify(value)),
      { name: 'PasskeyProblem' },
      JSON.stringify(value).slice(0, 80),
    )
  await assert.rejects(verifyRegistration(ceremony, '{'), problem(/no JSON/))
  assert.ok(await verifyRegistration(ceremony, JSON.stringify(good)))
})
