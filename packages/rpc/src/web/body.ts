import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { commonRefusal } from '../refusal.ts'
import { malformed } from './malformed.ts'

/** Largest request, as it comes and after decompression: 4 MiB. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024

/** Value of `Accept-Encoding` that says what a client may send. */
export const ACCEPTED_ENCODINGS = 'gzip, br, deflate'

const decompressors = new Map([
  ['gzip', promisify(gunzip)],
  ['br', promisify(brotliDecompress)],
  ['deflate', promisify(inflate)],
] as const)

type Encoding = 'gzip' | 'br' | 'deflate'

/**
 * The body as its sender had it. Decompression runs on libuv's threads and stops at the limit, so that a bomb costs no more than that.
 * @param encoding `Content-Encoding`, or what stands for it; undefined, empty and `identity` leave the bytes as they are.
 * @param maxOutputLength largest result, in bytes.
 * @throws Refusal REQUEST_TOO_LARGE, MALFORMED_REQUEST, ENCODING_NOT_SUPPORTED
 */
export async function decompress(bytes: Uint8Array, encoding: string | undefined, maxOutputLength = MAX_BODY_BYTES): Promise<Uint8Array> {
  if (encoding === undefined || encoding === '' || encoding === 'identity') return bytes
  const run = decompressors.get(encoding.toLowerCase() as Encoding)
  if (run === undefined) throw commonRefusal(ErrorReason.ENCODING_NOT_SUPPORTED, { accepted: ACCEPTED_ENCODINGS })
  if (bytes.length === 0) return bytes
  try {
    return await run(bytes, { maxOutputLength })
  } catch (error) {
    if (error instanceof RangeError) throw commonRefusal(ErrorReason.REQUEST_TOO_LARGE)
    throw malformed('', 'ENCODING', `The body is not ${encoding}.`)
  }
}
