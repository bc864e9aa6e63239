import { createHash } from 'node:crypto'
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from 'jose'

/** A request that a proof has to be of. */
export interface ProvenRequest {
  readonly method: string
  /** Without query. */
  readonly url: string
  readonly token: string
}

export interface Proof {
  /** Of the key that it was made with. */
  readonly keyThumbprint: string
  readonly id: string
  /** Seconds since 1970. */
  readonly issueTime: number
}

/** As the token endpoint takes them. */
const algorithms = ['ES256', 'Ed25519', 'EdDSA']
/** A proof is good this long after it was made, and a client's clock may be ahead by as much: as at the token endpoint. */
export const proofSeconds = 300
const longest = 4 * 1024

/** A proof of possession (RFC 9449) of this request; undefined where it is none. Whether it comes for the first time is for the caller to ask. */
export async function readProof(text: string, request: ProvenRequest, now: number): Promise<Proof | undefined> {
  if (text.length > longest) return undefined
  try {
    const { payload, protectedHeader } = await jwtVerify(text, EmbeddedJWK, { algorithms, typ: 'dpop+jwt', currentDate: new Date(now) })
    const { htm, htu, ath, jti, iat } = payload
    const isOfRequest = htm === request.method && typeof htu === 'string' && withoutQuery(htu) === withoutQuery(request.url)
    const isOfToken = ath === createHash('sha256').update(request.token).digest('base64url')
    if (!isOfRequest || !isOfToken || typeof jti !== 'string' || jti === '' || typeof iat !== 'number') return undefined
    if (Math.abs(now / 1000 - iat) > proofSeconds || protectedHeader.jwk === undefined) return undefined
    return { keyThumbprint: await calculateJwkThumbprint(protectedHeader.jwk), id: jti, issueTime: iat }
  } catch {
    // Whatever is wrong with it: whoever has the key makes another one.
    return undefined
  }
}

function withoutQuery(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  return url.origin + url.pathname
}
