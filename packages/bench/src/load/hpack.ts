/**
 * Header blocks of a client that sends the same headers again and again (RFC 7541): the first call of a connection puts them into the table, all
 * others point to them, as grpc-js and h2load do. `traceparent` differs from call to call and stands there as it is.
 */
export interface HeaderBlocks {
  readonly first: Buffer
  next(traceparent: string): Buffer
}

const firstDynamic = 62

/** Blocks for these headers; all of them together must fit into a table of 4,096 bytes. */
export function headerBlocks(headers: readonly (readonly [string, string])[]): HeaderBlocks {
  const all = [...headers, ['traceparent', traceparentOf(0)] as const]
  const size = all.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0)
  if (size > 4096) throw new RangeError(`headers of ${size} bytes do not fit into the table`)
  const indexOf = (position: number): number => firstDynamic + all.length - 1 - position
  const known = Buffer.concat(headers.map((_, position) => integer(0x80, 7, indexOf(position))))
  const traceName = integer(0x00, 4, indexOf(headers.length))
  return {
    first: Buffer.concat(all.flatMap(([name, value]) => [Buffer.of(0x40), text(name), text(value)])),
    next: (traceparent) => Buffer.concat([known, traceName, text(traceparent)]),
  }
}

/** A valid `traceparent`, another one for each number. */
export function traceparentOf(number: number): string {
  return `00-4bf92f3577b34da6a3ce929d${number.toString(16).padStart(8, '0')}-00f067aa0ba902b7-00`
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([integer(0x00, 7, bytes.length), bytes])
}

function integer(flags: number, bits: number, value: number): Buffer {
  const most = 2 ** bits - 1
  if (value < most) return Buffer.of(flags | value)
  const bytes = [flags | most]
  let rest = value - most
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  return Buffer.of(...bytes, rest)
}
