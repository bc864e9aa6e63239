import { request } from 'node:http'
import type { ServiceName } from '@gatehouse/local'
import type { Constellation } from './constellation.ts'
import { failure, type Outcome } from './outcome.ts'

/** JSON whose members may be read without knowing its type. */
export type Json = { readonly [member: string]: Json } & string

/** What a web door answered: its body where it was a yes, else what the failure means. */
export type WebAnswer = { readonly kind: 'done'; readonly body: Json } | Exclude<Outcome, { kind: 'done' }>

const serviceOf: Readonly<Record<string, ServiceName>> = {
  AccountService: 'auth',
  SessionService: 'auth',
  UserService: 'user',
  NotificationService: 'notification',
  InboxService: 'notification',
}

const usualTimeoutMs = 5_000

/**
 * Calls an RPC (`SessionService/SignIn`) as a browser behind the origin does, over a connection of its own. `source` is the address that the origin
 * would tell. Never rejects.
 */
export function callWeb(
  { links, host }: Pick<Constellation, 'links' | 'host'>,
  rpc: string,
  body: object,
  { token, source, timeoutMs = usualTimeoutMs }: { readonly token?: string; readonly source: string; readonly timeoutMs?: number },
): Promise<WebAnswer> {
  const service = serviceOf[rpc.split('/')[0] ?? ''] as ServiceName
  const headers = {
    host,
    'content-type': 'application/json',
    'connect-timeout-ms': String(timeoutMs),
    'x-forwarded-for': source,
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  }
  return new Promise((resolve) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port: links.at(`web→${service}`).port,
        path: `/gatehouse.${service}.v1.${rpc}`,
        method: 'POST',
        headers,
        agent: false,
        signal: AbortSignal.timeout(timeoutMs + 1_000),
      },
      (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', (error) => resolve(failure('unavailable', error.message)))
        incoming.on('end', () => resolve(answerOf(incoming.statusCode ?? 0, Buffer.concat(chunks).toString())))
      },
    )
    outgoing.on('error', (error) => resolve(failure('unavailable', error.message)))
    outgoing.end(JSON.stringify(body))
  })
}

function answerOf(status: number, text: string): WebAnswer {
  let body: Json
  try {
    body = JSON.parse(text) as Json
  } catch {
    return failure('unavailable', `HTTP ${status}: ${text.slice(0, 100)}`)
  }
  if (status === 200) return { kind: 'done', body }
  const details = (body as unknown as { details?: { debug?: { reason?: string } }[] }).details
  const reason = details?.find(({ debug }) => debug?.reason !== undefined)?.debug?.reason
  return failure(body.code ?? 'unknown', reason ?? body.message ?? '')
}
