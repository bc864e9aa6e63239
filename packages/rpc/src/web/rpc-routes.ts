import type { DescMethod } from '@bufbuild/protobuf'
import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt'
import type { FastifyReply } from 'fastify'
import type { GuardedMethod } from '../guarded-method.ts'
import { errorOf, sendError, sendJson, sendUnknownType } from './answer.ts'
import { answerFramed } from './answer-framed.ts'
import { decompress } from './body.ts'
import { decodeMessage } from './decode-message.ts'
import { encodeBinary, encodeJson } from './encode-message.ts'
import { malformed } from './malformed.ts'
import { readQuery } from './read-query.ts'
import { isPublic } from './rest-routes.ts'
import type { Answer, RouteSettings } from './route-settings.ts'
import { acceptedTypes, checkVersion, protocolOf, timeoutOf } from './rpc-protocol.ts'
import { hasSensitiveField } from './sensitive-field.ts'
import { WebCall } from './web-call.ts'

/** Whether an RPC can be called with GET: it changes nothing, and its request may stand in a URL. */
export function takesGet(rpc: DescMethod): boolean {
  return rpc.methodKind === 'unary' && rpc.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS && !hasSensitiveField(rpc.input)
}

const EMPTY = Buffer.alloc(0)

/** Largest message in a URL after decompression: what would be larger belongs into a body, of which the door keeps account. */
const MAX_URL_MESSAGE_BYTES = 256 * 1024

/** POST on the path of an RPC, in whichever protocol the `Content-Type` names. */
export function answerRpc(method: GuardedMethod, settings: RouteSettings): Answer {
  const unary = method.desc.methodKind === 'unary'
  return async (request, reply) => {
    const { headers } = request.raw
    const protocol = protocolOf(headers['content-type'], unary)
    if (protocol === undefined) return sendUnknownType(reply, acceptedTypes(unary))
    const body = Buffer.isBuffer(request.body) ? request.body : EMPTY
    if (protocol.name !== 'connect-unary') return answerFramed(method, protocol, body, request, reply, settings)
    try {
      checkVersion(headers['connect-protocol-version'])
      const call = new WebCall(request, reply, settings, timeoutOf(headers))
      const encoding = headers['content-encoding']
      const bytes = encoding === undefined ? body : await decompress(body, encoding)
      await answerUnary(method, call, bytes, protocol.binary, reply, settings)
    } catch (thrown) {
      sendError(errorOf(thrown, reply, settings.log), reply)
    }
  }
}

/** GET on the path of an RPC: Connect's unary call with the request in the query. */
export function answerRpcGet(method: GuardedMethod, settings: RouteSettings): Answer {
  return async (request, reply) => {
    try {
      const query = readQuery(request.raw.url ?? '')
      const one = (name: string): string | undefined => {
        const values = query.get(name)
        if (values !== undefined && values.length > 1) throw malformed(name, 'REPEATED', 'The parameter stands there twice.')
        return values?.[0]
      }
      const encoding = one('encoding')
      if (encoding !== 'json' && encoding !== 'proto') return sendUnknownType(reply, acceptedTypes(true))
      const version = one('connect')
      checkVersion(version === undefined ? undefined : version.replace(/^v/, ''))
      const text = one('message') ?? ''
      const message = one('base64') === '1' ? fromBase64(text) : Buffer.from(text)
      const call = new WebCall(request, reply, settings, timeoutOf(request.raw.headers))
      await answerUnary(
        method,
        call,
        await decompress(message, one('compression'), MAX_URL_MESSAGE_BYTES),
        encoding === 'proto',
        reply,
        settings,
      )
    } catch (thrown) {
      sendError(errorOf(thrown, reply, settings.log), reply)
    }
  }
}

async function answerUnary(
  method: GuardedMethod,
  call: WebCall,
  bytes: Uint8Array,
  binary: boolean,
  reply: FastifyReply,
  settings: RouteSettings,
): Promise<void> {
  const { input, output } = method.desc
  const answer = await method.unary(call, () => decodeMessage(input, bytes, binary))
  if (reply.request.method !== 'POST' && isPublic(method.desc)) reply.removeHeader('cache-control')
  if (binary) reply.header('content-type', 'application/proto').send(encodeBinary(output, answer))
  else sendJson(reply, encodeJson(output, answer, settings.registry))
}

function fromBase64(text: string): Buffer {
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) throw malformed('message', 'BASE64', 'The message is not base64.')
  return Buffer.from(text, 'base64')
}
