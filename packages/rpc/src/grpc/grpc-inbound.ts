import { Metadata, type ServerUnaryCall, type ServerWritableStream } from '@grpc/grpc-js'
import type { Inbound } from '../inbound.ts'

type ServerCall<Answer> = ServerUnaryCall<Buffer, Answer> | ServerWritableStream<Buffer, Answer>

/** A gRPC call as the pipeline sees it; everything is read from grpc-js when it is asked for. */
export class GrpcInbound<Answer> implements Inbound {
  readonly door = 'grpc'
  readonly #call: ServerCall<Answer>
  #abort: AbortController | undefined
  #headers: Metadata | undefined

  constructor(call: ServerCall<Answer>) {
    this.#call = call
  }

  header(name: string): string | undefined {
    const [value] = this.#call.metadata.get(name)
    return typeof value === 'string' ? value : undefined
  }

  get source(): string {
    const peer = this.#call.getPeer()
    const port = peer.lastIndexOf(':')
    return port === -1 ? peer : peer.slice(0, port)
  }

  get deadline(): number | undefined {
    const deadline = this.#call.getDeadline()
    if (typeof deadline !== 'number') return deadline.getTime()
    return Number.isFinite(deadline) ? deadline : undefined
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const abort = new AbortController()
      this.#abort = abort
      if (this.#call.cancelled) abort.abort()
      else this.#call.once('cancelled', () => abort.abort())
    }
    return this.#abort.signal
  }

  /** Ends the call from our side; `reason` is what the caller is told. */
  abort(reason: unknown): void {
    if (this.signal.aborted) return
    this.#abort?.abort(reason)
  }

  setResponseHeader(name: string, value: string): void {
    this.#headers ??= new Metadata()
    this.#headers.add(name, value)
  }

  /** Sends the headers that were set, before the first message. */
  sendHeaders(): void {
    if (this.#headers === undefined) return
    this.#call.sendMetadata(this.#headers)
    this.#headers = undefined
  }
}
