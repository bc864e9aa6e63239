import { connect, type Socket } from 'node:net'
import type { CallPlan, Tally } from './closed-loop.ts'
import { type HeaderBlocks, headerBlocks, traceparentOf } from './hpack.ts'
import { placesOfNumber, writeNumber } from './own-number.ts'

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
const DATA = 0
const HEADERS = 1
const RST_STREAM = 3
const SETTINGS = 4
const PING = 6
const GOAWAY = 7
const END_STREAM = 0x1
const ACK = 0x1
const PADDED = 0x8
const END_HEADERS = 0x4
/** "grpc-status: 0" as a server without a table writes it: the name in Huffman code, the value as it is. */
const STATUS_OK = Buffer.from('889acac8b21234da8f0130', 'hex')
const WINDOW_BYTES = 1 << 30

/** Who is told what became of the calls, and says whether another is to follow at once. */
type Calls = Pick<Tally, 'goesOn' | 'right' | 'wrong'> & Partial<Pick<Tally, 'takeNumber'>>

/** Calls that are sent in turn: a list, or something that makes each when its turn comes. */
export interface Plans {
  readonly length: number
  at(index: number): CallPlan | undefined
}

/** A call as it goes out and has to come back. */
interface Prepared {
  readonly frames: Buffer
  readonly answer: Buffer
  readonly holds: readonly Buffer[] | undefined
  /** Where the call's number stands in what is sent and in what comes back, where it has one. */
  readonly places?: { readonly frames: readonly number[]; readonly answer: readonly number[] }
}

interface Stream {
  readonly call: Prepared
  /** What the call's number is, where it has one. */
  readonly number: number
  readonly began: number
  body: Buffer
}

/**
 * A gRPC client over one HTTP/2 connection that costs a tenth of what its server does: it writes prepared frames and compares answers with what they
 * have to be, bytes and `grpc-status` alike. It forbids the server a header table, so that equal trailers are equal bytes.
 */
export class GrpcConnection {
  readonly #socket: Socket
  readonly #plans: Plans
  readonly #first: Buffer
  readonly #blocks: HeaderBlocks
  /** Of a list, which is sent again and again. */
  readonly #prepared: readonly Prepared[]
  readonly #streams = new Map<number, Stream>()
  readonly #out: Buffer[] = []
  readonly #tally: Calls
  #rest: Buffer = Buffer.alloc(0)
  #okTrailers: Buffer = Buffer.alloc(0)
  #nextStream = 1
  #nextPlan: number
  #received = 0
  #failed = false
  #over: () => void = () => {}

  constructor(port: number, path: string, headers: readonly (readonly [string, string])[], plans: Plans, from: number, tally: Calls) {
    const blocks = headerBlocks([
      [':method', 'POST'],
      [':scheme', 'http'],
      [':path', path],
      [':authority', `127.0.0.1:${port}`],
      ['te', 'trailers'],
      ['content-type', 'application/grpc'],
      ['user-agent', 'gatehouse-bench'],
      ...headers,
    ])
    this.#plans = plans
    this.#nextPlan = from
    this.#tally = tally
    this.#first = frame(HEADERS, END_HEADERS, blocks.first)
    this.#blocks = blocks
    this.#prepared = Array.isArray(plans) ? plans.map((plan: CallPlan, number) => this.#prepare(plan, number)) : []
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.on('error', (error) => this.#fail(error.message))
    this.#socket.on('close', () => this.#fail('the connection was closed'))
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk))
    const settings = Buffer.alloc(18)
    for (const [at, id, value] of [
      [0, 1, 0],
      [6, 2, 0],
      [12, 4, WINDOW_BYTES],
    ] as const) {
      settings.writeUInt16BE(id, at)
      settings.writeUInt32BE(value, at + 2)
    }
    this.#out.push(PREFACE, frame(SETTINGS, 0, settings), windowUpdate(WINDOW_BYTES))
  }

  /** Keeps `inFlight` calls under way until the tally has enough; settles when all are answered. */
  async run(inFlight: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#over = resolve
    for (let call = 0; call < inFlight; call++) this.#send()
    this.#flush()
    await promise
    this.#socket.removeAllListeners('close').destroy()
  }

  /** Sends the next call, whatever is under way, as one that was meant to begin then: for a load that does not wait for answers. */
  begin(intended: number): void {
    this.#send(intended)
  }

  /** Lets go what was begun. */
  flush(): void {
    this.#flush()
  }

  /** Settles when everything that was begun is answered, and closes. */
  async finish(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#over = resolve
    if (this.#failed || this.#streams.size === 0) resolve()
    await promise
    this.#socket.removeAllListeners('close').destroy()
  }

  #send(began = performance.now()): void {
    const place = this.#nextPlan
    this.#nextPlan = (place + 1) % this.#plans.length
    const call = this.#prepared[place] ?? this.#prepareAt(place)
    if (!call) return void this.#fail('there is no such call')
    const id = this.#nextStream
    this.#nextStream += 2
    const bytes = Buffer.allocUnsafe(call.frames.length)
    call.frames.copy(bytes)
    const number = call.places ? (this.#tally.takeNumber?.() ?? 0) : 0
    if (call.places) writeNumber(bytes, call.places.frames, number)
    const dataAt = 9 + bytes.readUIntBE(0, 3)
    bytes.writeUInt32BE(id, dataAt + 5)
    if (id === 1) {
      // The first block fills the server's table, to which all others point.
      const first = Buffer.from(this.#first)
      first.writeUInt32BE(id, 5)
      this.#out.push(first, bytes.subarray(dataAt))
    } else {
      bytes.writeUInt32BE(id, 5)
      this.#out.push(bytes)
    }
    this.#streams.set(id, { call, number, began, body: EMPTY })
  }

  #flush(): void {
    if (this.#out.length === 0) return
    this.#socket.write(this.#out.length === 1 ? (this.#out[0] as Buffer) : Buffer.concat(this.#out))
    this.#out.length = 0
  }

  #read(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    while (bytes.length - at >= 9) {
      const length = bytes.readUIntBE(at, 3)
      if (bytes.length - at < 9 + length) break
      this.#take(bytes[at + 3] as number, bytes[at + 4] as number, bytes.readUInt32BE(at + 5), bytes.subarray(at + 9, at + 9 + length))
      at += 9 + length
    }
    this.#rest = at === bytes.length ? EMPTY : bytes.subarray(at)
    this.#flush()
  }

  #take(type: number, flags: number, id: number, payload: Buffer): void {
    if (type === DATA) this.#data(flags, id, payload)
    else if (type === HEADERS) {
      if ((flags & END_HEADERS) === 0 || (flags & PADDED) !== 0) this.#fail('a header block in pieces')
      else if ((flags & END_STREAM) !== 0) this.#end(id, payload)
    } else if (type === SETTINGS && (flags & ACK) === 0) this.#out.push(frame(SETTINGS, ACK, EMPTY))
    else if (type === PING && (flags & ACK) === 0) this.#out.push(frame(PING, ACK, payload))
    else if (type === RST_STREAM || type === GOAWAY) this.#fail(`frame ${type}: ${payload.toString('hex')}`)
  }

  #data(flags: number, id: number, payload: Buffer): void {
    const stream = this.#streams.get(id)
    if (!stream || (flags & PADDED) !== 0 || (flags & END_STREAM) !== 0) return void this.#fail('data where none belongs')
    stream.body = stream.body.length === 0 ? payload : Buffer.concat([stream.body, payload])
    this.#received += payload.length
    if (this.#received > WINDOW_BYTES / 2) {
      this.#out.push(windowUpdate(this.#received))
      this.#received = 0
    }
  }

  #end(id: number, trailers: Buffer): void {
    const stream = this.#streams.get(id)
    if (!stream) return void this.#fail('an answer to nothing')
    this.#streams.delete(id)
    if (!trailers.equals(this.#okTrailers)) {
      if (!trailers.includes(STATUS_OK)) return void this.#fail(`trailers ${trailers.toString('latin1')}`)
      this.#okTrailers = Buffer.from(trailers)
    }
    if (!this.#isRight(stream)) return void this.#fail(`answer ${stream.body.toString('latin1')}`)
    this.#tally.right(stream.began)
    if (this.#tally.goesOn) this.#send()
    else if (this.#streams.size === 0) this.#over()
  }

  #prepareAt(place: number): Prepared | undefined {
    const plan = this.#plans.at(place)
    return plan && this.#prepare(plan, place)
  }

  #prepare({ request, answer, numbered, holds }: CallPlan, place: number): Prepared {
    const frames = Buffer.concat([
      frame(HEADERS, END_HEADERS, this.#blocks.next(traceparentOf(place))),
      frame(DATA, END_STREAM, prefixed(request)),
    ])
    if (!numbered) return { frames, answer: prefixed(answer), holds }
    const end = Buffer.from(answer)
    return { frames, answer: end, holds, places: { frames: placesOfNumber(frames), answer: placesOfNumber(end) } }
  }

  #isRight({ call: { answer, holds, places }, number, body }: Stream): boolean {
    if (holds) return holds.every((part) => body.includes(part))
    if (!places) return body.equals(answer)
    writeNumber(answer, places.answer, number)
    return body.length > 5 && body.readUInt32BE(1) === body.length - 5 && body.subarray(-answer.length).equals(answer)
  }

  #fail(what: string): void {
    this.#failed = true
    this.#tally.wrong(what)
    this.#over()
  }
}

const EMPTY = Buffer.alloc(0)

function frame(type: number, flags: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  return Buffer.concat([head, payload])
}

function windowUpdate(bytes: number): Buffer {
  const payload = Buffer.alloc(4)
  payload.writeUInt32BE(bytes)
  return frame(8, 0, payload)
}

/** A message as gRPC frames it: not compressed, its length, its bytes. */
function prefixed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}
