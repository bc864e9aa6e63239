import { AccountService } from '@gatehouse/contracts/gatehouse/auth/v1/account_service_pb'
import { ChallengeService } from '@gatehouse/contracts/gatehouse/auth/v1/challenge_service_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { createAccessTokenVerifier, followIssuers } from '@gatehouse/identity'
import { isUnavailable, RequestIdReused } from '@gatehouse/postgres'
import { commonRefusal, createPipeline, createWebDoor, type Log } from '@gatehouse/rpc'
import type { Deps } from '../src/core/deps.ts'
import type { RevocationFeed } from '../src/core/revocations/revocation-feed.ts'
import { startRevocationFeed } from '../src/core/revocations/revocation-feed.ts'
import { listIssuers } from '../src/core/tenants/list-issuers.ts'
import { accountService } from '../src/rpc/account-service.ts'
import { challengeService } from '../src/rpc/challenge-service.ts'
import { sessionService } from '../src/rpc/session-service.ts'
import { origin } from './open-deps.ts'

/** What a browser is answered. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: Record<string, unknown>
  /** Of the refusal's ErrorInfo; empty where nothing was refused. */
  readonly reason: string
}

/** The web door over use cases whose peers are in memory. */
export interface Doors extends AsyncDisposable {
  /** What the doors logged above `info`. */
  readonly faults: string[]
  /** Calls `Service/Method` with JSON, from a page of the tenant's origin unless the headers say otherwise. */
  call(method: string, body: object, headers?: Record<string, string>): Promise<Answer>
}

export async function openDoors(deps: Deps): Promise<Doors> {
  await using parts = new AsyncDisposableStack()
  const faults: string[] = []
  const note = (fields: object, message: string) => void faults.push(`${message} ${JSON.stringify(fields)}`)
  const log: Log = { debug() {}, info() {}, warn: note, error: note }
  const issuers = parts.use(followIssuers(() => listIssuers(deps)))
  const feed: RevocationFeed = parts.use(startRevocationFeed({ db: deps.db, log: deps.log, tokenLifeSeconds: 600 }))
  await feed.ready
  const pipeline = createPipeline({
    service: 'auth',
    accessTokens: createAccessTokenVerifier({ audience: 'gatehouse', issuers, revocations: feed.list, now: deps.now }),
    workloads: { verify: async () => 'notification' },
    tenantOfHost: () => 'default',
    limits: deps.limits,
    log,
    translate: (error) => (error instanceof RequestIdReused ? commonRefusal(ErrorReason.REQUEST_ID_REUSED) : undefined),
    isUnavailable,
    strict: true,
  })
  const door = parts.use(
    await createWebDoor({
      services: [
        pipeline.guard(AccountService, accountService(deps)),
        pipeline.guard(ChallengeService, challengeService(deps)),
        pipeline.guard(SessionService, sessionService({ ...deps, feed })),
      ],
      host: '127.0.0.1',
      port: 0,
      allowedOrigins: [origin],
      trustedProxies: ['127.0.0.1'],
      log,
    }),
  )
  const owned = parts.move()
  return {
    faults,
    async call(method, body, headers = {}) {
      const response = await fetch(`http://127.0.0.1:${door.port}/gatehouse.auth.v1.${method}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin, ...headers },
        body: JSON.stringify(body),
      })
      const text = await response.text()
      const read = JSON.parse(text) as Record<string, unknown> & { details?: { debug?: { reason?: string } }[] }
      const reason = read.details?.map((detail) => detail.debug?.reason ?? '').find((each) => each !== '') ?? ''
      return { status: response.status, headers: response.headers, text, body: read, reason }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
