import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import type { Cookies, Inbound } from '../inbound.ts'
import { commonRefusal } from '../refusal.ts'
import type { Origins } from './origins.ts'
import type { ReadSource } from './source-address.ts'
import { webCookies } from './web-cookies.ts'

/** What the calls of one door share. */
export interface DoorSettings {
  readonly origins: Origins
  readonly readSource: ReadSource
}

/** Where the headers of an answer go, the answer itself beside it: a reply of Fastify's, or what stands for one on a raw route. */
export interface HeaderSink {
  readonly raw: ServerResponse
  header(name: string, value: string): unknown
}

/** One HTTP request, as the pipeline sees it. What few calls need is made when it is read. */
export class WebCall implements Inbound {
  readonly door = 'web'
  readonly deadline: number | undefined
  readonly #request: { readonly raw: IncomingMessage }
  readonly #reply: HeaderSink
  readonly #settings: DoorSettings
  #aborter: AbortController | undefined
  #cookies: Cookies | undefined

  /** @param timeoutMs how long the client waits, where it said so. */
  constructor(request: { readonly raw: IncomingMessage }, reply: HeaderSink, settings: DoorSettings, timeoutMs: number | undefined) {
    this.#request = request
    this.#reply = reply
    this.#settings = settings
    this.deadline = timeoutMs === undefined ? undefined : Date.now() + timeoutMs
  }

  header(name: string): string | undefined {
    const value = this.#request.raw.headers[name]
    return typeof value === 'string' ? value : value?.[0]
  }

  get source(): string {
    return this.#settings.readSource(this.#request.raw.socket.remoteAddress, this.header('x-forwarded-for'))
  }

  get socket(): Socket {
    return this.#request.raw.socket
  }

  get host(): string | undefined {
    return this.header('host')?.toLowerCase()
  }

  /** Aborted when the client went away, when the call is ended with {@link abort}, or at the deadline. */
  get signal(): AbortSignal {
    this.#aborter ??= this.#watch()
    return this.#aborter.signal
  }

  get cookies(): Cookies {
    this.#cookies ??= webCookies(this.header('cookie'), this.#settings.origins.allows(this.header('origin'), this.host), (value) => {
      this.#reply.header('set-cookie', value)
    })
    return this.#cookies
  }

  setResponseHeader(name: string, value: string): void {
    this.#reply.header(name, value)
  }

  /** Ends the call from our side; `reason` is what the caller is told. */
  abort(reason?: unknown): void {
    this.#aborter ??= this.#watch()
    this.#aborter.abort(reason)
  }

  #watch(): AbortController {
    const aborter = new AbortController()
    const response = this.#reply.raw
    if (response.destroyed && !response.writableFinished) aborter.abort()
    const late = () => aborter.abort(commonRefusal(ErrorReason.DEADLINE_EXCEEDED))
    const left = this.deadline === undefined ? undefined : Math.max(0, Math.min(this.deadline - Date.now(), 2 ** 31 - 1))
    const timer = left === undefined ? undefined : setTimeout(late, left)
    response.once('close', () => {
      clearTimeout(timer)
      if (!response.writableFinished) aborter.abort()
    })
    return aborter
  }
}
