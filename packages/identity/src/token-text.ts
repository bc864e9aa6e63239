/** A token as its text says it, before anything of it is believed. */
export interface TokenText {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

/** `r` and `s` of ES256, 32 bytes each, as base64url. */
const signatureLetters = 86

/**
 * Reads a compact JWS in the one spelling that our issuers give it, and no other: base64url without padding or left-over bits, compact JSON in UTF-8, each
 * member once (RFC 8725 section 2.4 and RFC 7515 section 4 leave the rest to the parser, and parsers differ). Undefined where it is spelled otherwise.
 */
export function readTokenText(token: string): TokenText | undefined {
  const [first = '', second = '', third = '', ...more] = token.split('.')
  if (more.length > 0 || third.length !== signatureLetters || Buffer.from(third, 'base64url').toString('base64url') !== third)
    return undefined
  const [header, claims] = [objectOf(first), objectOf(second)]
  return header && claims && { header, claims }
}

function objectOf(part: string): Record<string, unknown> | undefined {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(part, 'base64url').toString())
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  // Whatever another spelling was lost in reading comes back in ours.
  return Buffer.from(JSON.stringify(value)).toString('base64url') === part ? (value as Record<string, unknown>) : undefined
}
