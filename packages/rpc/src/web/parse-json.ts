import { isUtf8 } from 'node:buffer'
import type { JsonValue } from '@bufbuild/protobuf'
import { malformed } from './malformed.ts'

// No request of the contracts comes near; a parser that recurses must not be led deeper.
const MAX_DEPTH = 64

/**
 * Parses a JSON text of which every reader sees the same: valid UTF-8, no member twice, no abyss of brackets.
 * @throws Refusal MALFORMED_REQUEST
 */
export function parseJson(bytes: Uint8Array): JsonValue {
  if (!isUtf8(bytes)) throw malformed('', 'ENCODING', 'The body is not UTF-8.')
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  const { members, depth } = measure(text)
  if (depth > MAX_DEPTH) throw malformed('', 'DEPTH', `The body nests deeper than ${MAX_DEPTH} levels.`)
  let value: JsonValue
  try {
    value = JSON.parse(text) as JsonValue
  } catch {
    throw malformed('', 'JSON', 'The body is not JSON.')
  }
  // JSON.parse keeps the last of two members with one name, so there are fewer keys than members.
  if (countKeys(value) !== members) throw malformed(firstRepeated(text), 'REPEATED', 'The member stands there twice.')
  return value
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a

/** Counts outside of strings; means something only where the text is JSON. */
function measure(text: string): { members: number; depth: number } {
  let members = 0
  let level = 0
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at)
    else if (code === COLON) members++
    else if (code === 0x7b || code === 0x5b) {
      level++
      if (level > depth) depth = level
    } else if (code === 0x7d || code === 0x5d) level--
  }
  return { members, depth }
}

/** Position of the quote that ends the string which starts at `start`; the end of the text where there is none. */
function endOfString(text: string, start: number): number {
  let at = start
  for (;;) {
    at = text.indexOf('"', at + 1)
    if (at < 0) return text.length
    let before = at - 1
    while (text.charCodeAt(before) === BACKSLASH) before--
    if ((at - before) % 2 === 1) return at
  }
}

function countKeys(value: JsonValue): number {
  if (value === null || typeof value !== 'object') return 0
  if (Array.isArray(value)) {
    let count = 0
    for (const item of value) count += countKeys(item)
    return count
  }
  let count = 0
  for (const key of Object.keys(value)) count += 1 + countKeys(value[key] as JsonValue)
  return count
}

/** The first member name that stands twice in one object of a JSON text that is known to hold such a name. */
function firstRepeated(text: string): string {
  const open: Set<string>[] = []
  let last = ''
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      const end = endOfString(text, at)
      last = JSON.parse(text.slice(at, end + 1)) as string
      at = end
    } else if (code === 0x7b || code === 0x5b) open.push(new Set())
    else if (code === 0x7d || code === 0x5d) open.pop()
    else if (code === COLON) {
      const names = open.at(-1)
      if (names?.has(last)) return last
      names?.add(last)
    }
  }
  return ''
}
