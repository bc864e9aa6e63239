import { timestampDate } from '@bufbuild/protobuf/wkt'
import { type Suspicion, SuspicionKind } from '@gatehouse/contracts/gatehouse/auth/v1/suspicion_pb'
import { deviceOf } from './device-of.ts'
import type { Language } from './languages.ts'
import type { TemplateName } from './template-names.ts'

/** Which mail tells it: what opened a session, what ended one, and the rest, also of kinds that only a newer auth knows. */
export function templateOfSuspicion(kinds: readonly SuspicionKind[]): TemplateName {
  if (kinds.includes(SuspicionKind.NEW_DEVICE) || kinds.includes(SuspicionKind.NEW_NETWORK)) return 'new_sign_in'
  return kinds.includes(SuspicionKind.REFRESH_TOKEN_REUSED) ? 'session_reuse' : 'suspicious_activity'
}

/** For the mail about a session that an older auth told of: it knows no more, and has no link. */
export const noSuspicion = { when: '', device: '', network: '', link: '', link_lifetime: '' }

const unknownNetwork = { en: 'unknown', de: 'unbekannt' }
const locales = { en: 'en-GB', de: 'de' }

/** What `suspicious_activity` has a sentence for. */
const worded = {
  guessed: SuspicionKind.PASSWORD_GUESSED,
  too_often: SuspicionKind.IMPOSSIBLE_RATE,
  entered: SuspicionKind.MANY_ACCOUNTS,
  copied: SuspicionKind.PASSKEY_CLONED,
  factor_guessed: SuspicionKind.SECOND_FACTOR_GUESSED,
} as const

/** What it was, when, and from where. A kind that only a newer auth knows has a sentence too, if one that says little. */
export function suspicionFields({ kinds, time, userAgent, network }: Suspicion, language: Language): Record<string, string> {
  const is = (kind: SuspicionKind) => (kinds.includes(kind) ? 'yes' : '')
  const format = new Intl.DateTimeFormat(locales[language], { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' })
  return {
    new_device: is(SuspicionKind.NEW_DEVICE),
    new_network: is(SuspicionKind.NEW_NETWORK),
    ...Object.fromEntries(Object.entries(worded).map(([field, kind]) => [field, is(kind)])),
    other: Object.values(worded).some((kind) => kinds.includes(kind)) ? '' : 'yes',
    when: time ? `${format.format(timestampDate(time))} UTC` : '',
    device: deviceOf(userAgent, language),
    network: network || unknownNetwork[language],
  }
}
