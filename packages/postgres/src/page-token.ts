import { createHash } from 'node:crypto'

/** A page token that we did not make, or made for another list. */
export class PageTokenInvalid extends Error {
  override readonly name = 'PageTokenInvalid'
}

const maxLength = 2048
const marks = 8

/**
 * Writes where the next page starts. `scope` names the list: method, tenant, filter and order; a token is good for that list only.
 * It is not secret and grants nothing: the tenant of the call decides what is read.
 */
export function encodePageToken(scope: string, key: readonly string[]): string {
  return Buffer.concat([markOf(scope), Buffer.from(JSON.stringify(key))]).toString('base64url')
}

/** The key of the last row of the page before, or undefined for an empty token: the first page. Throws PageTokenInvalid. */
export function decodePageToken(scope: string, token: string): string[] | undefined {
  if (token === '') return undefined
  if (token.length > maxLength || !/^[\w-]+$/.test(token)) throw new PageTokenInvalid('not a page token')
  const bytes = Buffer.from(token, 'base64url')
  if (!bytes.subarray(0, marks).equals(markOf(scope))) throw new PageTokenInvalid('the page token belongs to another list')
  const key = parse(bytes.subarray(marks).toString())
  if (!Array.isArray(key) || !key.every((part) => typeof part === 'string')) throw new PageTokenInvalid('not a page token')
  return key
}

const markOf = (scope: string): Buffer => createHash('sha256').update(scope).digest().subarray(0, marks)

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
