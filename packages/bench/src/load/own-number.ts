const digits = 12
const mark = Buffer.alloc(digits, '0')

/** Stands in the bytes of a call that has a number of its own wherever that number belongs; also a valid end of a UUID. */
export const ownNumber = mark.toString()

/** Where the number of a call stands in its bytes. */
export function placesOfNumber(bytes: Uint8Array): readonly number[] {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const places: number[] = []
  for (let at = all.indexOf(mark); at !== -1; at = all.indexOf(mark, at + digits)) places.push(at)
  return places
}

/** Writes it there. */
export function writeNumber(bytes: Buffer, places: readonly number[], number: number): void {
  const text = String(number).padStart(digits, '0')
  for (const at of places) bytes.write(text, at, 'latin1')
}
