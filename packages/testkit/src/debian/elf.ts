const [loadable, dynamic, interpreterName, note] = [1, 2, 3, 4]
const [endOfTable, stringTable, stringTableSize, rpath, runpath] = [0, 5, 10, 15, 29]
const page = 0x1000

type Segment = { readonly at: number; readonly type: number; readonly offset: number; readonly address: number; readonly memory: number }

/**
 * A program (ELF of 64 bits, elf(5)) that asks for another loader, and looks for libraries in another folder first. What is new lies
 * in a segment behind all others, whose place among the headers a note gives up, so that nothing of the program moves:
 * Go's do not survive what `patchelf` does to make room.
 */
export function withLoader(program: Buffer, { interpreter, libraryPath }: { interpreter: string; libraryPath: string }): Buffer {
  if (program.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') throw new TypeError('not an ELF file of 64 bits')
  const number = (at: number): number => Number(program.readBigUInt64LE(at))
  const [start, size, count] = [number(32), program.readUInt16LE(54), program.readUInt16LE(56)]
  const segments = Array.from({ length: count }, (_, index): Segment => {
    const at = start + index * size
    return { at, type: program.readUInt32LE(at), offset: number(at + 8), address: number(at + 16), memory: number(at + 40) }
  })
  const loaded = segments.filter(({ type }) => type === loadable)
  const table = segments.find(({ type }) => type === dynamic)
  const asked = segments.find(({ type }) => type === interpreterName)
  const given = segments.findLast(({ type }) => type === note)
  const last = loaded.at(-1)
  if (!table || !asked || !given || !last) throw new TypeError('not a program that a loader starts, or without a note to give up')

  const result = Buffer.concat([program, Buffer.alloc(-program.length & (page - 1))])
  const address = Math.ceil(Math.max(...loaded.map((segment) => segment.address + segment.memory)) / page) * page

  const tags = new Map<number, number>()
  for (let at = table.offset; !tags.has(endOfTable); at += 16) if (!tags.has(number(at))) tags.set(number(at), at)
  const place = (tag: number): number => {
    const at = tags.get(tag)
    if (at === undefined) throw new TypeError(`the program's dynamic section has no entry ${tag}`)
    return at
  }
  const end = place(endOfTable)
  const entry = tags.get(runpath) ?? tags.get(rpath) ?? end
  if (entry === end && end + 32 > table.offset + table.memory) throw new TypeError("the program's dynamic section has no room")
  const names = number(place(stringTable) + 8)
  const home = loaded.findLast((segment) => segment.address <= names)
  if (!home) throw new TypeError('the names of the program are in no segment')
  const namesAt = home.offset + names - home.address
  const kept = program.subarray(namesAt, namesAt + number(place(stringTableSize) + 8))
  const path = Buffer.from(`${libraryPath}\0`)
  const loader = Buffer.from(`${interpreter}\0`)
  const added = Buffer.concat([kept, path, loader])

  const write = (at: number, ...values: number[]): void => {
    for (const [index, value] of values.entries()) result.writeBigUInt64LE(BigInt(value), at + index * 8)
  }
  write(place(stringTable) + 8, address)
  write(place(stringTableSize) + 8, kept.length + path.length)
  write(entry, rpath, kept.length)
  const inside = kept.length + path.length
  write(asked.at + 8, result.length + inside, address + inside, address + inside, loader.length, loader.length)
  // Loadable segments are in order of their addresses: the headers between the note and the last of them move up by one.
  const header = Buffer.alloc(size)
  header.writeUInt32LE(loadable, 0)
  header.writeUInt32LE(4, 4)
  for (const [index, value] of [result.length, address, address, added.length, added.length, page].entries())
    header.writeBigUInt64LE(BigInt(value), 8 + index * 8)
  if (given.at < last.at) {
    result.copyWithin(given.at, given.at + size, last.at + size)
    header.copy(result, last.at)
  } else {
    result.copyWithin(last.at + 2 * size, last.at + size, given.at)
    header.copy(result, last.at + size)
  }
  return Buffer.concat([result, added])
}
