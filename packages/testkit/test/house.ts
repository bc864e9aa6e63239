import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type CaughtMail, freePorts, type Local, startLocal } from '@gatehouse/local'
import { operate } from './operate.ts'

/** What a call over the origin answered. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  // Stories read answers as a stranger's program would: as JSON that has these members or has not.
  readonly body: Json
}

/** JSON whose members may be read without knowing its type. */
export type Json = { readonly [member: string]: Json } & { readonly [index: number]: Json; readonly length: number } & string

export interface CallOptions {
  readonly token?: string | undefined
  readonly origin?: string
  readonly cookie?: string
  /** Such as `acme.localhost`; `localhost` unless given. */
  readonly hostname?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A whole Gatehouse for the stories of one file. */
export interface House extends AsyncDisposable {
  readonly local: Local
  readonly folder: string
  /** Calls an RPC by `AccountService/SignUp`, or a path. */
  call(what: string, body?: unknown, options?: CallOptions): Promise<Answer>
  /** The newest mail to the address for which `found` holds, waited for. */
  mailTo(address: string, found?: (mail: CaughtMail) => boolean): Promise<CaughtMail>
  /** A proven person with tokens. */
  person(
    email: string,
    ...more: string[]
  ): Promise<{ userId: string; email: string; password: string; accessToken: string; refreshToken: string; sessionId: string }>
  adminToken(): Promise<string>
}

const packages: Readonly<Record<string, string>> = {
  AccessService: 'auth',
  AccountService: 'auth',
  PasskeyService: 'auth',
  SessionService: 'auth',
  AuditService: 'auth',
  EmailSignInService: 'auth',
  EnrolmentService: 'auth',
  FactorService: 'auth',
  PolicyService: 'auth',
  IssuerService: 'auth',
  ChallengeService: 'auth',
  ServiceAccountService: 'auth',
  WorkloadService: 'auth',
  TokenService: 'auth',
  ClientService: 'auth',
  UserService: 'user',
  NotificationService: 'notification',
  InboxService: 'notification',
}

/** Starts everything on free ports in a folder of its own. */
export async function openHouse(options: Partial<Parameters<typeof startLocal>[0]> = {}): Promise<House> {
  await using opening = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-house-'))
  // A service that ends writes its last lines meanwhile.
  opening.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }))
  const local = opening.use(await startLocal({ folder, ports: await freePorts(), durable: false, ...options }))
  const owned = opening.move()
  const call = (
    what: string,
    body?: unknown,
    { token, origin, cookie, hostname = 'localhost', method, headers = {} }: CallOptions = {},
  ) => {
    const path = what.startsWith('/') ? what : `/gatehouse.${packages[what.split('/')[0] ?? '']}.v1.${what}`
    const verb = method ?? (body === undefined ? 'GET' : 'POST')
    return send(local.ports.origin, verb, path, body, {
      host: `${hostname}:${local.ports.origin}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(origin !== undefined && { origin }),
      ...(cookie !== undefined && { cookie }),
      ...headers,
    })
  }
  return {
    local,
    folder,
    call,
    mailTo: (address, found = () => true) =>
      until(`a mail to ${address}`, () => local.mailbox.messages.find((mail) => mail.to.includes(address) && found(mail))),
    async person(email, ...more) {
      const { out, failure } = await operate(local, 'auth', 'dev person', email, ...more)
      if (failure !== undefined) throw new Error(failure)
      const made = JSON.parse(out) as Record<string, string>
      const of = (name: string) => made[name] ?? ''
      return {
        userId: of('user_id'),
        email: of('email'),
        password: of('password'),
        accessToken: of('access_token'),
        refreshToken: of('refresh_token'),
        sessionId: of('session_id'),
      }
    },
    adminToken: async () => (await readFile(local.adminTokenFile, 'utf8')).trim(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Over `node:http` and not `fetch`: stories choose their Host, Origin and Cookie. */
function send(port: number, method: string, path: string, body: unknown, headers: Record<string, string>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, method, path, headers, agent: false, timeout: 30_000 }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        const json = /json/.test(incoming.headers['content-type'] ?? '') && text !== ''
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: (json ? JSON.parse(text) : text) as Json })
      })
    })
    outgoing.on('error', reject)
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${method} ${path} took more than 30 s`)))
    outgoing.end(body === undefined ? undefined : typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body))
  })
}

/** Looks until there is something to see; a bound on when it has happened, not a pause for luck. */
export async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>, boundMs = 20_000): Promise<T> {
  for (const end = performance.now() + boundMs; ; ) {
    const seen = await look()
    if (seen !== undefined && seen !== false) return seen
    if (performance.now() > end) throw new Error(`waited ${boundMs} ms in vain for ${what}`)
    await delay(20)
  }
}

/** The reason of a refusal, and nothing for what is none. */
export function reasonOf(answer: Answer): string | undefined {
  const details = (answer.body as unknown as { details?: { debug?: { reason?: string } }[] }).details
  return details?.find(({ debug }) => debug?.reason !== undefined)?.debug?.reason
}

/** The token behind the `#` of the link in a mail. */
export function tokenIn(mail: CaughtMail): string {
  const token = /#token=([\w-]+)/.exec(mail.text)?.[1]
  if (token === undefined) throw new Error(`no link in: ${mail.text}`)
  return token
}

/** The six digits in a mail. */
export function codeIn(mail: CaughtMail): string {
  const code = /^\s*(\d{6})\s*$/m.exec(mail.text)?.[1]
  if (code === undefined) throw new Error(`no code in: ${mail.text}`)
  return code
}

/** Claims of a JWT, unverified. */
export function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>
}
