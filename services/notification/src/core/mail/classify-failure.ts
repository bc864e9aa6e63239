/** Why a mail server did not take a mail, in words without an address. */
export interface MailFailure {
  /** Another try may help. */
  readonly transient: boolean
  readonly reason: string
}

/** Replies that say "not you" or "not like this" about ourselves: a wrong password or a missing TLS is set right by an operator. */
const oursToMend = new Set([530, 534, 535, 538])

/**
 * Tells what an error of nodemailer means (RFC 5321 section 4.2.1): 4yz is for later, 5yz for ever, a broken or silent connection for later.
 * A 5yz before the mail was begun (greeting, sign-in, TLS) is about us and not about the mail, so it is for later too.
 */
export function classifyFailure(error: unknown): MailFailure {
  const { code, command, responseCode, response } = detailsOf(error)
  const where = command ? ` to ${command}` : ''
  if (responseCode !== undefined) {
    const answered = `the mail server answered ${responseCode}${enhancedCode(response)}${where}`
    const permanent = responseCode >= 500 && (code === 'EENVELOPE' || code === 'EMESSAGE') && !oursToMend.has(responseCode)
    return { transient: !permanent, reason: answered }
  }
  if (code === 'EENVELOPE' || code === 'EMESSAGE') return { transient: false, reason: 'the mail or its address cannot be sent' }
  return { transient: true, reason: `the mail server cannot be reached (${code ?? 'unknown error'})` }
}

/** RFC 3463, such as 5.1.1. The text behind it may name the address, so it is left out. */
function enhancedCode(response: string | undefined): string {
  const found = /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})\b/.exec(response ?? '')
  return found ? ` (${found[1]})` : ''
}

function detailsOf(error: unknown): { code?: string; command?: string; responseCode?: number; response?: string } {
  const known: { code?: string; command?: string; responseCode?: number; response?: string } = {}
  if (typeof error !== 'object' || error === null) return known
  if ('code' in error && typeof error.code === 'string') known.code = error.code
  if ('command' in error && typeof error.command === 'string' && /^[A-Z ]+$/.test(error.command)) known.command = error.command
  if ('responseCode' in error && typeof error.responseCode === 'number') known.responseCode = error.responseCode
  if ('response' in error && typeof error.response === 'string') known.response = error.response
  return known
}
