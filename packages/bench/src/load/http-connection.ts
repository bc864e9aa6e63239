import { connect, type Socket } from 'node:net'
import type { CallPlan, Tally } from './closed-loop.ts'
import { traceparentOf } from './hpack.ts'

const END_OF_HEAD = Buffer.from('\r\n\r\n')
const OK = Buffer.from('HTTP/1.1 200 ')
const EMPTY = Buffer.alloc(0)

/** An HTTP/1.1 client with one call under way that compares status and body with what they have to be. */
export class HttpConnection {
  readonly #socket: Socket
  readonly #requests: readonly Buffer[]
  readonly #plans: readonly CallPlan[]
  readonly #tally: Tally
  #rest: Buffer = EMPTY
  #plan: number
  #began = 0
  #over: () => void = () => {}

  constructor(
    port: number,
    path: string,
    headers: readonly (readonly [string, string])[],
    plans: readonly CallPlan[],
    from: number,
    tally: Tally,
  ) {
    this.#plans = plans
    this.#plan = from
    this.#tally = tally
    this.#requests = plans.map(({ request }, number) => {
      const lines = [...headers, ['traceparent', traceparentOf(number)], ['content-length', String(request.length)]]
      return Buffer.concat([
        Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`),
        request,
      ])
    })
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.on('error', (error) => this.#fail(error.message))
    this.#socket.on('close', () => this.#fail('the connection was closed'))
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk))
  }

  /** Calls again and again until the tally has enough. */
  async run(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#over = resolve
    this.#send()
    await promise
    this.#socket.removeAllListeners('close').destroy()
  }

  #send(): void {
    this.#plan = (this.#plan + 1) % this.#plans.length
    this.#began = performance.now()
    this.#socket.write(this.#requests[this.#plan] ?? EMPTY)
  }

  #read(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    this.#rest = bytes
    const headEnd = bytes.indexOf(END_OF_HEAD)
    if (headEnd === -1) return
    const head = bytes.toString('latin1', 0, headEnd)
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? Number.NaN)
    if (Number.isNaN(length)) return void this.#fail(`an answer without a length: ${head}`)
    const bodyAt = headEnd + END_OF_HEAD.length
    if (bytes.length < bodyAt + length) return
    const body = bytes.subarray(bodyAt, bodyAt + length)
    this.#rest = EMPTY
    if (!bytes.subarray(0, OK.length).equals(OK) || !body.equals(this.#plans[this.#plan]?.answer ?? EMPTY))
      return void this.#fail(`${head}\n${body.toString()}`)
    this.#tally.right(this.#began)
    if (this.#tally.goesOn) this.#send()
    else this.#over()
  }

  #fail(what: string): void {
    this.#tally.wrong(what)
    this.#over()
  }
}
