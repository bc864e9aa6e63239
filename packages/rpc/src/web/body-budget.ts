import type { ServerResponse } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { MAX_BODY_BYTES } from './body.ts'

const FREE_BYTES = 64 * 1024

/**
 * How many bytes of large request bodies a door holds at once. Bodies are read before anybody is asked who they are, so without a budget a few
 * hundred strangers could fill the memory; ordinary requests are far smaller than what is counted.
 */
export class BodyBudget {
  #left: number

  constructor(bytes: number) {
    this.#left = bytes
  }

  /** Reserves room for the body until the answer is out; `false` where there is none. */
  reserve(request: FastifyRequest, response: ServerResponse): boolean {
    const { 'content-length': length, 'transfer-encoding': chunked } = request.raw.headers
    const bytes = chunked === undefined ? Math.min(Number(length ?? 0), MAX_BODY_BYTES) : MAX_BODY_BYTES
    if (bytes <= FREE_BYTES) return true
    if (bytes > this.#left) return false
    this.#left -= bytes
    response.once('close', () => {
      this.#left += bytes
    })
    return true
  }
}
