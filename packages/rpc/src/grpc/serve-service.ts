import { type DescMethod, type DescService, fromBinary, type Message, toBinary } from '@bufbuild/protobuf'
import { ConnectError } from '@connectrpc/connect'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import type {
  handleServerStreamingCall,
  handleUnaryCall,
  ServerWritableStream,
  ServiceDefinition,
  UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { toConnectError } from '../answer-error.ts'
import type { GuardedMethod, GuardedService } from '../guarded-method.ts'
import { commonRefusal } from '../refusal.ts'
import type { CallsInFlight } from './calls-in-flight.ts'
import { GrpcInbound } from './grpc-inbound.ts'
import { statusOf, toBuffer } from './status.ts'

const READ_OPTIONS = { readUnknownFields: false }
const WRITE_OPTIONS = { writeUnknownFields: false }

/** grpc-js definition of a service under a name. Requests stay bytes: they are decoded behind the access check, by the pipeline. */
export function definitionOf(service: DescService, name = service.typeName): ServiceDefinition {
  return Object.fromEntries(
    service.methods.map((method) => [
      method.name,
      {
        path: `/${name}/${method.name}`,
        requestStream: method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming',
        responseStream: method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming',
        requestSerialize: (bytes: Buffer) => bytes,
        requestDeserialize: (bytes: Buffer) => bytes,
        responseSerialize: (message: Message) => toBuffer(toBinary(method.output, message, WRITE_OPTIONS)),
        responseDeserialize: (bytes: Buffer) => bytes,
      },
    ]),
  )
}

/** Handlers of a guarded service for grpc-js. They never throw: the pipeline answers with a ConnectError, which becomes a gRPC status here. */
export function handlersOf(service: GuardedService, calls: CallsInFlight): UntypedServiceImplementation {
  const handlers: UntypedServiceImplementation = {}
  for (const [name, method] of service)
    handlers[name] = method.desc.methodKind === 'unary' ? serveUnary(method, calls) : serveStream(method, calls)
  return handlers
}

function overloaded(): ConnectError {
  return toConnectError(commonRefusal(ErrorReason.OVERLOADED, {}, { retryAfterSeconds: 1 }))
}

function decoder(desc: DescMethod, request: Buffer): () => Message {
  return () => fromBinary(desc.input, request, READ_OPTIONS)
}

function serveUnary(method: GuardedMethod, calls: CallsInFlight): handleUnaryCall<Buffer, Message> {
  return (call, callback) => {
    if (!calls.enter()) return callback(statusOf(overloaded()))
    const inbound = new GrpcInbound(call)
    method.unary(inbound, decoder(method.desc, call.request)).then(
      (answer) => {
        calls.leave()
        inbound.sendHeaders()
        callback(null, answer)
      },
      (error: unknown) => {
        calls.leave()
        callback(statusOf(ConnectError.from(error)))
      },
    )
  }
}

function serveStream(method: GuardedMethod, calls: CallsInFlight): handleServerStreamingCall<Buffer, Message> {
  return (call) => {
    const inbound = new GrpcInbound(call)
    if (!calls.enterStream(inbound)) {
      call.emit('error', statusOf(overloaded()))
      return
    }
    writeAll(call, inbound, method.stream(inbound, decoder(method.desc, call.request)))
      .then(
        () => call.end(),
        (error: unknown) => call.emit('error', statusOf(ConnectError.from(error))),
      )
      .finally(() => calls.leaveStream(inbound))
  }
}

async function writeAll(
  call: ServerWritableStream<Buffer, Message>,
  inbound: GrpcInbound<Message>,
  answers: AsyncIterable<Message>,
): Promise<void> {
  let before = Promise.resolve()
  for await (const answer of answers) {
    inbound.sendHeaders()
    // A client that does not read must not make us remember everything for it: one answer is on its way while the next is made.
    await before
    if (call.cancelled) return
    before = written(call, answer, inbound.signal)
  }
}

/** Resolves when the answer has left, the client is gone, or is not waited for any more. */
function written(call: ServerWritableStream<Buffer, Message>, answer: Message, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      signal.removeEventListener('abort', done)
      resolve()
    }
    signal.addEventListener('abort', done)
    call.write(answer, done)
    if (signal.aborted) done()
  })
}
