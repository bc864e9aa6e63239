import { toASCII } from 'tr46'

// The dot-string of RFC 5321, section 4.1.2: atoms with single dots between them. No quoted forms, no comments, ASCII only.
const LOCAL_PART = /^[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+)*$/
/** A domain that UTS #46 leaves as it is: lower-case letters, digits and single hyphens. Almost all are, and finding out costs a tenth of the mapping. */
const PLAIN_DOMAIN = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9]|-(?!-)){0,62}(?<!-)(?:\.[a-z0-9](?:[a-z0-9]|-(?!-)){0,62}(?<!-))*$/
const MAX_LOCAL_LENGTH = 64
const MAX_INPUT_LENGTH = 1000
const MAX_LENGTH = 254

/**
 * The written canonical form of an e-mail address: surrounding white space removed, the domain as lower-case A-labels
 * (UTS #46, non-transitional), the local part as written. `undefined` for what is no address here, such as a local part
 * that is not ASCII (RFC 6531 mailboxes are not supported) or has a dot at an end or two in a row, or a domain that is no
 * host name.
 */
export function canonicalEmail(text: string): string | undefined {
  if (text.length > MAX_INPUT_LENGTH) return undefined
  const trimmed = text.trim()
  const at = trimmed.lastIndexOf('@')
  const local = trimmed.slice(0, Math.max(at, 0))
  if (local.length > MAX_LOCAL_LENGTH || !LOCAL_PART.test(local)) return undefined
  const domain = canonicalDomain(trimmed.slice(at + 1))
  if (domain === undefined) return undefined
  const email = `${local}@${domain}`
  return email.length > MAX_LENGTH ? undefined : email
}

function canonicalDomain(text: string): string | undefined {
  if (PLAIN_DOMAIN.test(text)) return text
  const domain = toASCII(text, {
    checkBidi: true,
    checkHyphens: true,
    checkJoiners: true,
    transitionalProcessing: false,
    useSTD3ASCIIRules: true,
    verifyDNSLength: true,
  })
  return domain ?? undefined
}

/** What makes two addresses the same: a canonical address with its local part in lower case. Never shown, never mailed to. */
export function emailKey(canonical: string): string {
  return canonical.toLowerCase()
}
