import { linesOf } from '@gatehouse/cli'
import { enforceOpaqueString } from '../opaque-string.ts'
import { FilterBuilder, sha1Of } from './filter.ts'

export interface BuildFilter {
  /** Opens the list from its beginning; it is read twice, so that the filter has the size that it needs. */
  readonly input: () => AsyncIterable<Uint8Array>
  /** What a line is: a password, or its SHA-1 in hexadecimal digits with what may stand behind a colon. */
  readonly of: 'passwords' | 'hashes'
  /** Passwords of fewer code points cannot be chosen and are left out. */
  readonly minLength?: number
  /** Longer ones are left out too. */
  readonly maxLength?: number
  /** The more, the fewer others are taken for one; 16 unless given. */
  readonly bitsPerEntry?: number
  /** Told of every line that is of no use, as a sentence. */
  readonly onProblem: (sentence: string) => void
}

const hash = /^([0-9A-Fa-f]{40})(:\d+)?$/

/** Reads a list of breached passwords into a filter. */
export async function buildFilter({
  input,
  of,
  minLength = 8,
  maxLength = Number.POSITIVE_INFINITY,
  bitsPerEntry,
  onProblem,
}: BuildFilter): Promise<{ filter: FilterBuilder; bad: number }> {
  const keyOf = (text: string): Buffer | undefined | 'left out' => {
    if (of === 'hashes') {
      const found = hash.exec(text)
      return found ? Buffer.from(found[1] ?? '', 'hex') : undefined
    }
    const password = enforceOpaqueString(text)
    const length = [...(password ?? '')].length
    return password === undefined || length < minLength || length > maxLength ? 'left out' : sha1Of(password)
  }
  let expected = 0
  for await (const lines of linesOf(input()))
    for (const line of lines)
      if (line.problem === undefined && (of === 'hashes' || (line.text.length >= minLength && [...line.text].length <= maxLength)))
        expected++
  const filter = new FilterBuilder(expected, bitsPerEntry)
  let bad = 0
  for await (const lines of linesOf(input()))
    for (const line of lines) {
      const key = line.problem === undefined ? keyOf(line.text) : undefined
      if (key === undefined) {
        bad++
        onProblem(`line ${line.number} ${line.problem ?? 'is not a SHA-1 in 40 hexadecimal digits'}`)
      } else if (key !== 'left out') filter.add(key)
    }
  return { filter, bad }
}
