import {
  create,
  type DescMessage,
  type DescMethodStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf'
import { MethodOptions_IdempotencyLevel as Idempotency } from '@bufbuild/protobuf/wkt'
import { Code, ConnectError, type StreamResponse, type Transport, type UnaryResponse } from '@connectrpc/connect'
import type { WorkloadSigner } from '@gatehouse/identity'
import { type ChannelOptions, Client, type ClientReadableStream, type Metadata } from '@grpc/grpc-js'
import { toBuffer } from '../grpc/status.ts'
import type { Log } from '../log.ts'
import { channelCredentials, type PeerTls } from '../tls.ts'
import { callMetadata, headersOf } from './call-metadata.ts'
import { DEFAULT_TIMEOUT_MS } from './call-options.ts'
import { CallsOut } from './calls-out.ts'
import { freshName } from './fresh-names.ts'
import { fromServiceError } from './from-service-error.ts'
import { observeCalls } from './observe-call.ts'
import { PeerState } from './peer-state.ts'
import { withRequestId } from './request-id.ts'
import { createRetries } from './retries.ts'

/** Where a peer is, and as whom it is called. */
export interface PeerOptions {
  /** Name of the peer: the audience of our workload token, and `dependency` in refusals. */
  readonly target: string
  /** gRPC name of the peer: `host:port`, or `dns:///host:port`. Calls go round all addresses of a name, which is looked up anew every ten seconds. */
  readonly url: string
  /** Makes the workload token of each call; without it calls carry none. */
  readonly signer?: WorkloadSigner
  readonly tls?: PeerTls
  readonly log?: Log
  /** Unary calls under way at once; more fail with `OVERLOADED`. Default 2,000, as many as a door takes. */
  readonly maxCalls?: number
  /** How long whoever is served at this moment waits: no call to the peer lasts longer. */
  readonly bounds?: () => { readonly deadline?: number | undefined; readonly signal?: AbortSignal | undefined } | undefined
}

/** A Connect transport over a gRPC channel; disposing it closes the channel. */
export interface PeerTransport extends Transport, AsyncDisposable {}

const CHANNEL_OPTIONS: ChannelOptions = {
  'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
  'grpc.service_config_disable_resolution': 1,
  // Fast enough that a peer is found again within a second after it came back, and its new address within seconds.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 500,
  'grpc.dns_min_time_between_resolutions_ms': 2000,
  // A peer that is frozen, or behind a network that swallows packets, is noticed and not waited for: it gets calls for a quarter of a minute at most.
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.max_receive_message_length': 16 * 1024 * 1024,
  'grpc.enable_http_proxy': 0,
  'grpc.enable_channelz': 0,
}

/**
 * Makes a transport to a peer: `createClient(UserService, peerTransport({ target: 'user', url, signer }))`. Every unary call has a deadline, five
 * seconds unless its options say less; calls that the contract calls idempotent are tried again, boundedly, where the peer cannot be reached, under one
 * `request_id` where their message has one. All others are sent once.
 * Errors are ConnectErrors whose details `findDetails` reads. A server stream ends when its `signal` aborts: leaving its loop does not end it.
 */
export function peerTransport({ target, url, signer, tls, log, maxCalls = 2000, bounds }: PeerOptions): PeerTransport {
  const client = new Client(freshName(url), channelCredentials(tls), CHANNEL_OPTIONS)
  const state = new PeerState(target, log)
  const retry = createRetries()
  const calls = new CallsOut(target, maxCalls)
  const observe = observeCalls(url)

  return {
    async unary(method, ownSignal, timeoutMs, header, input) {
      const isRepeated = isRepeatable(method.idempotency)
      const given = create(method.input, input)
      const request = isRepeated ? withRequestId(method.input, given) : given
      const served = bounds?.()
      const deadline = Math.min(Date.now() + (timeoutMs ?? DEFAULT_TIMEOUT_MS), served?.deadline ?? Number.POSITIVE_INFINITY)
      const signal = ownSignal ?? served?.signal
      const attempt = async () => {
        const metadata = await callMetadata(target, signer, header)
        return callUnary(client, method, request, metadata, deadline, signal)
      }
      const send = async () => {
        try {
          const answer = isRepeated ? await retry(attempt, deadline, signal) : await attempt()
          state.reached()
          return answer
        } catch (error) {
          throw state.failed(fromServiceError(error, signal))
        }
      }
      return observe(method, () => calls.run(send))
    },

    async stream(method, signal, timeoutMs, header, input) {
      const metadata = await callMetadata(target, signer, header)
      const request = await onlyMessage(method, input)
      const serialize = (message: MessageShape<typeof method.input>) => toBuffer(toBinary(method.input, message))
      const deserialize = (bytes: Buffer) => fromBinary(method.output, bytes)
      // 0 is how Connect writes "no deadline".
      const options = timeoutMs === undefined || timeoutMs === 0 ? {} : { deadline: Date.now() + timeoutMs }
      const call = client.makeServerStreamRequest(pathOf(method), serialize, deserialize, request, metadata, options)
      return streamAnswer(method, call, signal, state)
    },

    async [Symbol.asyncDispose]() {
      client.close()
    },
  }
}

function isRepeatable(level: Idempotency): boolean {
  return level === Idempotency.NO_SIDE_EFFECTS || level === Idempotency.IDEMPOTENT
}

function pathOf(method: { readonly parent: { readonly typeName: string }; readonly name: string }): string {
  return `/${method.parent.typeName}/${method.name}`
}

function callUnary<I extends DescMessage, O extends DescMessage>(
  client: Client,
  method: DescMethodUnary<I, O>,
  request: MessageShape<I>,
  metadata: Metadata,
  deadline: number,
  signal: AbortSignal | undefined,
): Promise<UnaryResponse<I, O>> {
  return new Promise((resolve, reject) => {
    let header: Metadata | undefined
    let trailer: Metadata | undefined
    const call = client.makeUnaryRequest(
      pathOf(method),
      (message: MessageShape<I>) => toBuffer(toBinary(method.input, message)),
      (bytes: Buffer) => fromBinary(method.output, bytes),
      request,
      metadata,
      { deadline },
      (error, message) => {
        signal?.removeEventListener('abort', cancel)
        if (error !== null) reject(error)
        else if (message === undefined) reject(new ConnectError('The peer answered without a message.', Code.Internal))
        else
          resolve(
            new UnaryAnswer(
              method,
              message,
              () => headersOf(header),
              () => headersOf(trailer),
            ),
          )
      },
    )
    const cancel = () => call.cancel()
    if (signal?.aborted === true) cancel()
    signal?.addEventListener('abort', cancel, { once: true })
    call.on('metadata', (received) => {
      header = received
    })
    call.on('status', (status) => {
      trailer = status.metadata
    })
  })
}

/** Headers are made when somebody reads them, which hardly anybody does. */
class UnaryAnswer<I extends DescMessage, O extends DescMessage> implements UnaryResponse<I, O> {
  readonly stream = false
  readonly method: DescMethodUnary<I, O>
  readonly message: MessageShape<O>
  readonly #header: () => Headers
  readonly #trailer: () => Headers

  constructor(method: DescMethodUnary<I, O>, message: MessageShape<O>, header: () => Headers, trailer: () => Headers) {
    this.method = method
    this.message = message
    this.#header = header
    this.#trailer = trailer
  }

  get service(): DescMethodUnary<I, O>['parent'] {
    return this.method.parent
  }

  get header(): Headers {
    return this.#header()
  }

  get trailer(): Headers {
    return this.#trailer()
  }
}

async function onlyMessage<I extends DescMessage, O extends DescMessage>(
  method: DescMethodStreaming<I, O>,
  input: AsyncIterable<MessageInitShape<I>>,
): Promise<MessageShape<I>> {
  if (method.methodKind !== 'server_streaming') throw new TypeError(`${pathOf(method)} streams requests, which no door serves`)
  for await (const message of input) return create(method.input, message)
  throw new TypeError(`${pathOf(method)} needs a request`)
}

function streamAnswer<I extends DescMessage, O extends DescMessage>(
  method: DescMethodStreaming<I, O>,
  call: ClientReadableStream<MessageShape<O>>,
  signal: AbortSignal | undefined,
  state: PeerState,
): StreamResponse<I, O> {
  let header: Metadata | undefined
  let trailer: Metadata | undefined
  call.on('metadata', (received) => {
    header = received
  })
  call.on('status', (status) => {
    trailer = status.metadata
  })
  const cancel = () => call.cancel()
  signal?.addEventListener('abort', cancel, { once: true })
  if (signal?.aborted === true) cancel()

  async function* messages(): AsyncIterable<MessageShape<O>> {
    try {
      for await (const message of call) {
        state.reached()
        yield message
      }
    } catch (error) {
      throw state.broken(fromServiceError(error, signal))
    } finally {
      signal?.removeEventListener('abort', cancel)
      call.cancel()
    }
  }
  // Without a listener an error before the first read would end the process; the iteration meets it again.
  call.on('error', () => {})
  return {
    stream: true,
    service: method.parent,
    method,
    message: messages(),
    get header() {
      return headersOf(header)
    },
    get trailer() {
      return headersOf(trailer)
    },
  }
}
