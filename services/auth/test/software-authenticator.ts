import { createECDH, createHash, createPrivateKey, type KeyObject, randomBytes, sign } from 'node:crypto'

/** Bits of authenticator data (WebAuthn Level 3, 6.1). */
export const flag = { present: 0x01, verified: 0x04, eligible: 0x08, backedUp: 0x10, attested: 0x40 } as const

/** What this answer has otherwise than an honest one. */
export interface Changes {
  readonly type?: string
  readonly challenge?: string
  readonly origin?: string
  readonly crossOrigin?: unknown
  readonly topOrigin?: string
  readonly rpId?: string
  readonly flags?: number
  readonly signCount?: number
  readonly credentialId?: Uint8Array
  /** Null leaves it out. */
  readonly userHandle?: string | null
  readonly signature?: (right: Buffer) => Buffer
  /** COSE_Key. */
  readonly publicKey?: Uint8Array
  /** CBOR of `fmt` and `attStmt`, with their names. */
  readonly attestation?: Uint8Array
}

/** An authenticator with one ES256 passkey that answers as asked, and otherwise where a test wants it to. */
export interface SoftwareAuthenticator {
  readonly credentialId: Uint8Array
  /** Answers options for `navigator.credentials.create`. */
  register(optionsJson: string, changes?: Changes): string
  /** Answers options for `navigator.credentials.get`. */
  assert(optionsJson: string, changes?: Changes): string
}

export interface AuthenticatorOptions {
  readonly origin: string
  readonly privateKey?: Uint8Array
  readonly credentialId?: Uint8Array
}

interface Asked {
  readonly challenge: string
  readonly rpId?: string
  readonly rp?: { readonly id: string }
  readonly user?: { readonly id: string }
}

const noAttestation = Buffer.from('63666d74646e6f6e656761747453746d74a0', 'hex')

export function softwareAuthenticator(options: AuthenticatorOptions): SoftwareAuthenticator {
  const { key, publicKey } = keyOf(options.privateKey ?? randomBytes(32))
  const credentialId = options.credentialId ?? randomBytes(32)
  let userHandle = ''
  let signCount = 0

  const clientData = (type: string, challenge: string, changes: Changes) =>
    Buffer.from(
      JSON.stringify({
        type: changes.type ?? type,
        challenge: changes.challenge ?? challenge,
        origin: changes.origin ?? options.origin,
        crossOrigin: 'crossOrigin' in changes ? changes.crossOrigin : false,
        ...(changes.topOrigin !== undefined && { topOrigin: changes.topOrigin }),
      }),
    )
  const authenticatorData = (rpId: string, flags: number, changes: Changes, count: number) => {
    const head = Buffer.alloc(37)
    createHash('sha256')
      .update(changes.rpId ?? rpId)
      .digest()
      .copy(head)
    head.writeUInt8(changes.flags ?? flags, 32)
    head.writeUInt32BE(changes.signCount ?? count, 33)
    return head
  }
  const answer = (id: Uint8Array, response: Record<string, unknown>) =>
    JSON.stringify({ id: base64url(id), rawId: base64url(id), type: 'public-key', clientExtensionResults: {}, response })

  return {
    credentialId,
    register(optionsJson, changes = {}) {
      const asked = JSON.parse(optionsJson) as Asked
      userHandle = asked.user?.id ?? ''
      const id = changes.credentialId ?? credentialId
      const length = Buffer.alloc(2)
      length.writeUInt16BE(id.length)
      const flags = flag.present | flag.verified | flag.attested
      const data = Buffer.concat([
        authenticatorData(asked.rp?.id ?? '', flags, changes, signCount),
        Buffer.alloc(16),
        length,
        id,
        changes.publicKey ?? publicKey,
      ])
      const attestation = changes.attestation ?? noAttestation
      const object = Buffer.concat([Buffer.from([0xa3]), attestation, Buffer.from('686175746844617461', 'hex'), bytes(data)])
      return answer(id, {
        clientDataJSON: base64url(clientData('webauthn.create', asked.challenge, changes)),
        attestationObject: base64url(object),
        transports: ['internal'],
      })
    },
    assert(optionsJson, changes = {}) {
      const asked = JSON.parse(optionsJson) as Asked
      const client = clientData('webauthn.get', asked.challenge, changes)
      signCount = changes.signCount ?? signCount + 1
      const data = authenticatorData(asked.rpId ?? '', flag.present | flag.verified, changes, signCount)
      const signed = sign('sha256', Buffer.concat([data, createHash('sha256').update(client).digest()]), key)
      const handle = changes.userHandle === undefined ? userHandle : changes.userHandle
      return answer(changes.credentialId ?? credentialId, {
        clientDataJSON: base64url(client),
        authenticatorData: base64url(data),
        signature: base64url(changes.signature?.(signed) ?? signed),
        ...(handle !== null && handle !== '' && { userHandle: handle }),
      })
    },
  }
}

/** A P-256 key, and its public half as COSE_Key. */
export function keyOf(privateKey: Uint8Array): { key: KeyObject; publicKey: Uint8Array } {
  const curve = createECDH('prime256v1')
  curve.setPrivateKey(privateKey)
  const point = curve.getPublicKey()
  const [x, y] = [point.subarray(1, 33), point.subarray(33)]
  const jwk = { kty: 'EC', crv: 'P-256', d: base64url(privateKey), x: base64url(x), y: base64url(y) }
  const cose = Buffer.concat([Buffer.from('a5010203262001215820', 'hex'), x, Buffer.from('225820', 'hex'), y])
  return { key: createPrivateKey({ key: jwk, format: 'jwk' }), publicKey: cose }
}

export function base64url(value: Uint8Array): string {
  return Buffer.from(value).toString('base64url')
}

/** CBOR byte string of less than 64 KiB. */
function bytes(value: Uint8Array): Buffer {
  const head = value.length < 256 ? Buffer.from([0x58, value.length]) : Buffer.from([0x59, value.length >> 8, value.length & 255])
  return Buffer.concat([head, value])
}
