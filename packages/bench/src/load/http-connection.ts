import { connect, type Socket } from 'node:net'
import type { CallPlan, LoadOrder, Tally } from './closed-loop.ts'
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

  constructor({ port, path, headers, calls, method = 'POST' }: LoadOrder, from: number, tally: Tally) {
    this.#plans = calls
    this.#plan = from
    this.#tally = tally
    this.#requests = calls.map(({ request }, number) => {
      const length = method === 'GET' ? [] : [['content-length', String(request.length)]]
      const lines = [...headers, ['traceparent', traceparentOf(number)], ...length]
      return Buffer.concat([
        Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`),
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
    const body = bodyOf(head, bytes.subarray(headEnd + END_OF_HEAD.length))
    if (body === 'incomplete') return
    if (body === undefined) return void this.#fail(`an answer without a length: ${head}`)
    this.#rest = EMPTY
    if (!bytes.subarray(0, OK.length).equals(OK) || !isRight(body, this.#plans[this.#plan]))
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

function isRight(body: Buffer, plan: CallPlan | undefined): boolean {
  if (plan?.holds) return plan.holds.every((part) => body.includes(part))
  return body.equals(plan?.answer ?? EMPTY)
}

/** The body behind a head: by its length or in chunks (RFC 9112, section 7.1, without trailers). */
function bodyOf(head: string, rest: Buffer): Buffer | 'incomplete' | undefined {
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length !== undefined) return rest.length < Number(length) ? 'incomplete' : rest.subarray(0, Number(length))
  return /\r\ntransfer-encoding: *chunked/i.test(head) ? joined(rest) : undefined
}

function joined(rest: Buffer): Buffer | 'incomplete' {
  const chunks: Buffer[] = []
  for (let at = 0; ; ) {
    const lineEnd = rest.indexOf('\r\n', at)
    if (lineEnd === -1) return 'incomplete'
    const size = Number.parseInt(rest.toString('latin1', at, lineEnd), 16)
    const from = lineEnd + 2
    if (rest.length < from + size + 2) return 'incomplete'
    if (size === 0) return chunks.length === 1 ? (chunks[0] ?? EMPTY) : Buffer.concat(chunks)
    chunks.push(rest.subarray(from, from + size))
    at = from + size + 2
  }
}
