import { cors } from '@connectrpc/connect'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** The pages that may call with the browser's credentials. */
export interface Origins {
  /** Whether an `Origin` header names one of them, to the letter, or the pages that live on the host that is called. */
  allows(origin: string | undefined, host: string | undefined): boolean
  /** Lets the page read the answer, where it is one of them. */
  mark(request: FastifyRequest, reply: FastifyReply): void
  /** Answers a preflight. Another origin gets no permission, and so its browser sends nothing. */
  answerPreflight(request: FastifyRequest, reply: FastifyReply, methods: string): void
}

const PREFLIGHT_SECONDS = 7200
const SENT = [...cors.allowedHeaders, 'authorization', 'traceparent', 'tracestate'].join(', ')
const SEEN = [...cors.exposedHeaders, 'x-trace-id', 'retry-after', 'location', 'www-authenticate'].join(', ')

/**
 * @param allowed exact origins, such as `https://id.example.com`, that may call every host; there is no wildcard.
 * @param originOfHost where the pages of a host live. A page of one tenant is not let in at another's host.
 * @throws TypeError for an entry that is not written as browsers write an origin.
 */
export function createOrigins(allowed: readonly string[], originOfHost: (host: string) => string | undefined = () => undefined): Origins {
  for (const origin of allowed) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin)
      throw new TypeError(`${origin} is not an origin such as https://id.example.com`)
  }
  const known = new Set(allowed)

  function mark(request: FastifyRequest, reply: FastifyReply): boolean {
    const { origin } = request.raw.headers
    reply.header('vary', 'Origin')
    if (origin === undefined || !known.has(origin)) return false
    reply.header('access-control-allow-origin', origin)
    reply.header('access-control-allow-credentials', 'true')
    return true
  }

  return {
    allows: (origin, host) => origin !== undefined && (known.has(origin) || (host !== undefined && originOfHost(host) === origin)),
    mark(request, reply) {
      if (mark(request, reply)) reply.header('access-control-expose-headers', SEEN)
    },
    answerPreflight(request, reply, methods) {
      if (mark(request, reply)) {
        reply.header('access-control-allow-methods', methods)
        reply.header('access-control-allow-headers', SENT)
        reply.header('access-control-max-age', String(PREFLIGHT_SECONDS))
      }
      reply.code(204).send()
    },
  }
}
