import { isUtf8 } from 'node:buffer'

/** A line of a file: its text, or what is wrong with it. Empty lines are counted and left out. */
export type Line =
  | { readonly number: number; readonly text: string; readonly problem?: undefined }
  | { readonly number: number; readonly problem: string }

const maxLineBytes = 64 * 1024
const newline = 0x0a
const byteOrderMark = Buffer.from('\ufeff')

/** The lines of a stream of bytes, many at a time, so that no line costs a turn of the event loop; holds one piece of the stream, however long a line is. */
export async function* linesOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<Line[]> {
  let rest: Buffer = Buffer.alloc(0)
  let number = 0
  let tooLong = false
  const take = (bytes: Buffer): Line | undefined => {
    number++
    if (tooLong || bytes.length > maxLineBytes) {
      tooLong = false
      return { number, problem: `is longer than ${maxLineBytes / 1024} KiB` }
    }
    if (!isUtf8(bytes)) return { number, problem: 'is not UTF-8' }
    const text = bytes.toString().trim()
    return text === '' ? undefined : { number, text }
  }
  for await (const piece of input) {
    let bytes: Buffer = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
    if (rest.length > 0) bytes = Buffer.concat([rest, bytes])
    const lines: Line[] = []
    let at = number === 0 && bytes.subarray(0, byteOrderMark.length).equals(byteOrderMark) ? byteOrderMark.length : 0
    for (let end = bytes.indexOf(newline, at); end >= 0; end = bytes.indexOf(newline, at)) {
      const line = take(bytes.subarray(at, end))
      if (line) lines.push(line)
      at = end + 1
    }
    rest = bytes.subarray(at)
    if (rest.length > maxLineBytes) {
      tooLong = true
      rest = Buffer.alloc(0)
    }
    yield lines
  }
  const last = rest.length > 0 || tooLong ? take(rest) : undefined
  if (last) yield [last]
}
