import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

/** Shorter entries say nothing about a long password. */
const minLength = 4

let common: ReadonlySet<string> | undefined

/**
 * Tells whether a lower-case string is a password that many people have: the list of zxcvbn-ts, ordered by frequency.
 * Read at the first question and then kept, some megabytes; the package's own entry would also load its key maps and word lists.
 */
export function isCommonPassword(candidate: string): boolean {
  common ??= readList()
  return common.has(candidate)
}

function readList(): ReadonlySet<string> {
  const path = createRequire(import.meta.url).resolve('@zxcvbn-ts/language-common/src/passwords.json')
  const entries: unknown = JSON.parse(readFileSync(path, 'utf8'))
  if (!Array.isArray(entries)) throw new TypeError('The list of common passwords is not an array')
  return new Set(entries.filter((entry): entry is string => typeof entry === 'string' && entry.length >= minLength))
}
