import { createHash } from 'node:crypto'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'

/**
 * A Bloom filter in blocks of 512 bits, in a file: a question reads one block, so that a filter of a billion passwords costs no memory and one of the few
 * hundred thousand that are shipped costs the same. It never misses an entry; with 16 bits for each, one in a thousand others is taken for one.
 */
const blockBytes = 64
const bitsOfKey = 8
const headBytes = 32
const magic = 'GHBREACH'
const version = 1
const defaultBits = 16

/** The file is no filter, or half of one. */
export class NotAFilter extends Error {
  override readonly name = 'NotAFilter'
}

/** Which passwords are known, by their SHA-1. */
export interface BreachFilter extends AsyncDisposable {
  /** How many went in. */
  readonly count: number
  has(sha1: Uint8Array): Promise<boolean>
}

/** How breach lists name passwords. It protects nothing here. */
export function sha1Of(password: string): Buffer {
  return createHash('sha1').update(password).digest()
}

/** @throws {@link NotAFilter} */
export async function openBreachFilter(path: string): Promise<BreachFilter> {
  const file = await open(path, 'r')
  try {
    const { blocks, count } = await readHead(file, path)
    return {
      count,
      async has(sha1) {
        const key = Buffer.from(sha1.buffer, sha1.byteOffset, sha1.byteLength)
        const at = headBytes + blockOf(key, blocks) * blockBytes
        const { buffer: block } = await file.read(Buffer.alloc(blockBytes), 0, blockBytes, at)
        return bitsOf(key).every((bit) => ((block[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0)
      },
      [Symbol.asyncDispose]: () => file.close(),
    }
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Fills a filter for `expected` entries. */
export class FilterBuilder {
  readonly #blocks: Buffer
  readonly #count: number
  #added = 0

  constructor(expected: number, bitsPerEntry = defaultBits) {
    this.#count = Math.max(1, Math.ceil((expected * bitsPerEntry) / (blockBytes * 8)))
    this.#blocks = Buffer.alloc(this.#count * blockBytes)
  }

  add(sha1: Buffer): void {
    const at = blockOf(sha1, this.#count) * blockBytes
    for (const bit of bitsOf(sha1)) {
      const byte = at + (bit >> 3)
      this.#blocks[byte] = (this.#blocks[byte] ?? 0) | (1 << (bit & 7))
    }
    this.#added++
  }

  get added(): number {
    return this.#added
  }

  /** Whoever reads the file sees the old one or the new one. */
  async write(path: string): Promise<void> {
    const head = Buffer.alloc(headBytes)
    head.write(magic)
    head.writeUInt32BE(version, 8)
    head.writeBigUInt64BE(BigInt(this.#count), 12)
    head.writeBigUInt64BE(BigInt(this.#added), 20)
    const unfinished = `${path}.unfinished`
    const file = await open(unfinished, 'w')
    try {
      await file.writeFile(head)
      // A write of more than 2 GiB is cut off.
      for (let at = 0; at < this.#blocks.length; at += 2 ** 28) await file.writeFile(this.#blocks.subarray(at, at + 2 ** 28))
      await file.sync()
      await file.close()
      await rename(unfinished, path)
    } catch (error) {
      await file.close().catch(() => {})
      await rm(unfinished, { force: true })
      throw error
    }
  }
}

async function readHead(file: FileHandle, path: string): Promise<{ blocks: number; count: number }> {
  const { buffer: head, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0)
  if (bytesRead < headBytes || head.toString('latin1', 0, 8) !== magic || head.readUInt32BE(8) !== version)
    throw new NotAFilter(`${path} is not a filter that "gatehouse auth breach-filter" made`)
  const blocks = Number(head.readBigUInt64BE(12))
  const { size } = await file.stat()
  if (blocks < 1 || size !== headBytes + blocks * blockBytes) throw new NotAFilter(`${path} is cut off, or longer than it says`)
  return { blocks, count: Number(head.readBigUInt64BE(20)) }
}

function blockOf(sha1: Buffer, blocks: number): number {
  return sha1.readUIntBE(0, 6) % blocks
}

/** Nine bits each of the bytes that did not choose the block. */
function bitsOf(sha1: Buffer): number[] {
  return Array.from({ length: bitsOfKey }, (_, at) => (sha1.readUInt16BE(6 + at) >> (7 - at)) & 511)
}
