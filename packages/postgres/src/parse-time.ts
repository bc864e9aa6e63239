import pg from 'pg'

const timestamptz = 1184
const anyForm = pg.types.getTypeParser(timestamptz) as (text: string) => Date

/**
 * Reads a `timestamptz` as Postgres writes it where the session's zone is UTC, `2026-11-27 13:12:17.123456+00`, in a fifth of the time that a pattern
 * takes: every person that is read has two. All other forms are left to the driver.
 */
export function parseTime(text: string): Date {
  const end = text.length - 3
  const plain = end >= 19 && text[4] === '-' && text[0] !== '0' && text.endsWith('+00')
  if (!plain) return anyForm(text)
  let milliseconds = 0
  for (let at = 20, worth = 100; at < end && worth >= 1; at++, worth /= 10) milliseconds += digit(text, at) * worth
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2)
  return new Date(
    Date.UTC(year, twoDigits(text, 5) - 1, twoDigits(text, 8), twoDigits(text, 11), twoDigits(text, 14), twoDigits(text, 17), milliseconds),
  )
}

const digit = (text: string, at: number): number => text.charCodeAt(at) - 48

const twoDigits = (text: string, at: number): number => digit(text, at) * 10 + digit(text, at + 1)
