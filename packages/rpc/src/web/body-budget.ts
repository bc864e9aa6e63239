import type { ServerResponse } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { MAX_BODY_BYTES } from './body.ts'

const FREE_BYTES = 64 * 1024

/** What one compressed byte can become: deflate says at most 258 bytes with two bits. */
const GROWTH: Readonly<Record<string, number>> = { identity: 1, gzip: 1032, deflate: 1032 }
const ENCODING_HEADERS = ['content-encoding', 'connect-content-encoding', 'grpc-encoding']

/**
 * How many bytes of large request bodies a door holds at once. Bodies are read before anybody is asked who they are, so without a budget a few
 * hundred strangers could fill the memory; ordinary requests are far smaller than what is counted. A compressed body counts as large as it can become.
 */
export class BodyBudget {
  #left: number

  constructor(bytes: number) {
    this.#left = bytes
  }

  /** Reserves room for the body until the answer is out; `false` where there is none. */
  reserve(request: FastifyRequest, response: ServerResponse): boolean {
    const { 'content-length': length, 'transfer-encoding': chunked } = request.raw.headers
    const bytes = chunked === undefined ? Math.min(Number(length ?? 0) * growthOf(request), MAX_BODY_BYTES) : MAX_BODY_BYTES
    if (bytes <= FREE_BYTES) return true
    if (bytes > this.#left) return false
    this.#left -= bytes
    response.once('close', () => {
      this.#left += bytes
    })
    return true
  }
}

function growthOf({ raw: { headers } }: FastifyRequest): number {
  let growth = 1
  for (const name of ENCODING_HEADERS) {
    const encoding = headers[name]
    if (encoding === undefined || encoding === '') continue
    // Brotli, and whatever else: no bound is worth reckoning with.
    growth = Math.max(growth, GROWTH[String(encoding).toLowerCase()] ?? MAX_BODY_BYTES)
  }
  return growth
}
