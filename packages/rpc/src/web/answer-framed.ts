import { Readable } from 'node:stream'
import type { Message } from '@bufbuild/protobuf'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { GuardedMethod } from '../guarded-method.ts'
import { errorOf } from './answer.ts'
import { decodeMessage } from './decode-message.ts'
import { encodeBinary, encodeJson } from './encode-message.ts'
import { connectFraming, type Framing, frame, grpcWebFraming, unframe } from './framing.ts'
import type { RouteSettings } from './route-settings.ts'
import { checkVersion, type RpcProtocol, timeoutOf } from './rpc-protocol.ts'
import { WebCall } from './web-call.ts'

/** Answers a call whose messages come in frames: Connect's streams, and everything in gRPC-Web. Errors travel in the last frame. */
export async function answerFramed(
  method: GuardedMethod,
  protocol: RpcProtocol,
  body: Buffer,
  request: FastifyRequest,
  reply: FastifyReply,
  settings: RouteSettings,
): Promise<void> {
  const framing = protocol.name === 'grpc-web' ? grpcWebFraming(protocol.binary) : connectFraming(protocol.binary)
  const frames = answerFrames(method, protocol, framing, body, request, reply, settings)
  reply.header('content-type', framing.contentType)
  // The first frame is awaited, because until then the call may still set headers.
  const first = await frames.next()
  if (method.desc.methodKind !== 'unary') {
    reply.send(Readable.from(following(first, frames), { objectMode: false }))
    return
  }
  const all: Uint8Array[] = []
  for await (const bytes of following(first, frames)) all.push(bytes)
  reply.send(Buffer.concat(all))
}

async function* following(first: IteratorResult<Buffer, void>, rest: AsyncGenerator<Buffer, void>): AsyncGenerator<Buffer, void> {
  try {
    if (first.done) return
    yield first.value
    yield* rest
  } finally {
    await rest.return()
  }
}

async function* answerFrames(
  method: GuardedMethod,
  protocol: RpcProtocol,
  framing: Framing,
  body: Buffer,
  request: FastifyRequest,
  reply: FastifyReply,
  settings: RouteSettings,
): AsyncGenerator<Buffer, void> {
  const { input, output } = method.desc
  const { streams, registry, log } = settings
  let call: WebCall | undefined
  try {
    const { headers } = request.raw
    if (protocol.name !== 'grpc-web') checkVersion(headers['connect-protocol-version'])
    call = new WebCall(request, reply, settings, timeoutOf(headers, protocol.name))
    const encoding = headers[framing.encodingHeader]
    const bytes = await unframe(body, encoding === undefined ? undefined : String(encoding))
    if (method.desc.methodKind !== 'unary') streams.add(call)
    for await (const message of answersOf(method, call, () => decodeMessage(input, bytes, protocol.binary))) {
      yield frame(protocol.binary ? encodeBinary(output, message) : Buffer.from(encodeJson(output, message, registry)))
    }
    yield framing.end(undefined)
  } catch (thrown) {
    yield framing.end(streams.ending && call?.signal.aborted ? undefined : errorOf(thrown, reply, log))
  } finally {
    if (call) streams.delete(call)
  }
}

async function* answersOf(method: GuardedMethod, call: WebCall, decode: () => Message): AsyncGenerator<Message, void> {
  if (method.desc.methodKind === 'unary') yield await method.unary(call, decode)
  else yield* method.stream(call, decode)
}
