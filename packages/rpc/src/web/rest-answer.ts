import type { JsonValue } from '@bufbuild/protobuf'
import type { GuardedMethod } from '../guarded-method.ts'
import { errorOf, sendError, sendJson, sendUnknownType } from './answer.ts'
import { decompress } from './body.ts'
import { toRestJson } from './encode-message.ts'
import { decodeRest } from './rest-request.ts'
import { isPublic, type RestRoute } from './rest-routes.ts'
import type { Answer, RouteSettings } from './route-settings.ts'
import { timeoutOf } from './rpc-protocol.ts'
import { WebCall } from './web-call.ts'

const IS_JSON = /^application\/json(?:; ?charset=utf-?8)?$/i
const EMPTY = Buffer.alloc(0)

/** One REST route in front of its RPC. */
export function answerRest(route: RestRoute, method: GuardedMethod, settings: RouteSettings): Answer {
  const { output } = method.desc
  const cacheable = route.method === 'GET' && isPublic(route.rpc)
  return async (request, reply) => {
    const { headers, url = '' } = request.raw
    const body = Buffer.isBuffer(request.body) ? request.body : EMPTY
    // Forms of other sites cannot send this type without being asked first, so no page can make a browser call us unseen.
    const type = headers['content-type']
    if ((type !== undefined || body.length > 0) && !IS_JSON.test(type ?? '')) return sendUnknownType(reply, 'application/json')
    try {
      const call = new WebCall(request, reply, settings, timeoutOf(headers))
      const bytes = await decompress(body, headers['content-encoding'])
      const variables = request.params as Record<string, string>
      const answer = await method.unary(call, () => decodeRest(route, { variables, target: url, body: bytes }))
      const whole = toRestJson(output, answer, settings.registry)
      const resource = route.answer === undefined ? whole : (member(whole, route.answer.jsonName) ?? {})
      if (route.location)
        reply.header('location', route.location.prefix + encodeURIComponent(String(member(resource, route.location.id.jsonName))))
      if (cacheable) reply.removeHeader('cache-control')
      sendJson(reply.code(route.status), JSON.stringify(resource))
    } catch (thrown) {
      sendError(errorOf(thrown, reply, settings.log), reply)
    }
  }
}

function member(json: JsonValue, name: string): JsonValue | undefined {
  return json !== null && typeof json === 'object' && !Array.isArray(json) ? json[name] : undefined
}
