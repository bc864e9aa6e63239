import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { commonRefusal, type Violation } from '@gatehouse/rpc'

export const defaultLocale = 'en'

/** The tag in its canonical letter case; undefined when it is no BCP 47 tag, so that nobody who formats for the person trips over it. */
export function canonicalLocale(tag: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(tag)[0]
  } catch {
    return undefined
  }
}

/** Refuses values whose form is right but which name nothing. Empty and absent ones pass. */
export function refuseUnknown({ locale, timeZone }: { locale?: string | undefined; timeZone?: string | undefined }): void {
  const violations: Violation[] = []
  if (locale && canonicalLocale(locale) === undefined)
    violations.push({ field: 'locale', description: 'is not a BCP 47 language tag', reason: 'LOCALE_UNKNOWN' })
  if (timeZone && !isTimeZone(timeZone))
    violations.push({ field: 'timeZone', description: 'is not in the IANA time zone database', reason: 'TIME_ZONE_UNKNOWN' })
  if (violations.length > 0) throw commonRefusal(ErrorReason.INVALID_REQUEST, {}, { violations })
}

function isTimeZone(name: string): boolean {
  // Offsets such as +02 are time zones to Intl, but have no name.
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
