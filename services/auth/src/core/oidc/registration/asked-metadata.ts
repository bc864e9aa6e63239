import { ErrorReason, refuse } from '../../refuse.ts'

/** What a program says of itself: JSON, of whatever kind. A null is as good as nothing. */
export type AskedMetadata = Readonly<Record<string, unknown>>

/** Refuses what was asked for, in the words of RFC 7591; no value of it is told. */
export function refuseMetadata(field: string, problem: string): Error {
  return refuse(ErrorReason.CLIENT_METADATA_INVALID, { field, problem })
}

export function wordIn(asked: AskedMetadata, name: string): string | undefined {
  const value = asked[name] ?? undefined
  if (value === undefined) return undefined
  if (typeof value !== 'string' || value === '') throw refuseMetadata(name, 'is no text')
  // People read some of it, and Postgres keeps no NUL.
  if (/\p{C}/u.test(value)) throw refuseMetadata(name, 'has a character that nobody can read')
  return value
}

export function wordsIn(asked: AskedMetadata, name: string): string[] | undefined {
  const value = asked[name] ?? undefined
  if (value === undefined) return undefined
  if (!Array.isArray(value) || !value.every((each): each is string => typeof each === 'string'))
    throw refuseMetadata(name, 'is no list of texts')
  return [...new Set(value)]
}

export function flagIn(asked: AskedMetadata, name: string): boolean {
  const value = asked[name] ?? false
  if (typeof value !== 'boolean') throw refuseMetadata(name, 'is neither true nor false')
  return value
}

export function numberIn(asked: AskedMetadata, name: string): number | undefined {
  const value = asked[name] ?? undefined
  if (value === undefined) return undefined
  if (!Number.isSafeInteger(value) || Number(value) < 1 || Number(value) > 1e9) throw refuseMetadata(name, 'is no whole number of seconds')
  return Number(value)
}

export function objectIn(asked: AskedMetadata, name: string): object | undefined {
  const value = asked[name] ?? undefined
  if (value === undefined) return undefined
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuseMetadata(name, 'is no object')
  return value
}
