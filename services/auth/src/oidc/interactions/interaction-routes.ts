import type { IncomingMessage, ServerResponse } from 'node:http'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import type { AccessTokenVerifier } from '@gatehouse/identity'
import { commonRefusal, type RawAct, type RawCall, type WebRoutes } from '@gatehouse/rpc'
import { secondsToWait } from '../limits.ts'
import { tenantOf } from '../mount.ts'
import type { OidcDeps } from '../oidc-deps.ts'
import { PAGE_POLICY } from '../page-policy.ts'
import { mountPath } from '../tenant-request.ts'
import { assertNotCrossSite, assertOwnBrowser, assertOwnPage, assertPerson } from './assert-own-browser.ts'
import { consent } from './consent.ts'
import { describeInteraction } from './describe.ts'
import { findInteraction } from './interaction.ts'
import { accessIn, MAX_BODY_BYTES, readBody } from './read-body.ts'
import { refuseInteraction } from './refuse-interaction.ts'
import { signIn } from './sign-in.ts'

export interface InteractionDeps extends Pick<OidcDeps, 'acts' | 'issuers' | 'limits' | 'offline'> {
  readonly verifier: AccessTokenVerifier
  /** The page as it is sent; undefined where no console is built. */
  readonly page: () => Promise<string | undefined>
}

const DEADLINE_MS = 10_000

type Answer = (
  parts: InteractionDeps & { readonly tenant: string },
  asked: { uid: string; request: IncomingMessage; call: RawCall },
) => Promise<object>

/** What the page of an interaction reads and does. The acts by which somebody signs in are the RPCs that there are: here is only what connects a session to a request. */
const ACTS: Readonly<Record<string, { readonly method: 'GET' | 'POST'; readonly answer: Answer }>> = {
  request: {
    method: 'GET',
    async answer(parts, { uid, request }) {
      assertNotCrossSite(request)
      return await describeInteraction(parts, await findInteraction(parts, { tenant: parts.tenant, uid }))
    },
  },
  'sign-in': {
    method: 'POST',
    async answer(parts, { uid, request, call }) {
      await readBody(request)
      const person = await assertPerson(parts.verifier, call)
      return await signIn(parts, await findInteraction(parts, { tenant: parts.tenant, uid }), person)
    },
  },
  consent: {
    method: 'POST',
    async answer(parts, { uid, request, call }) {
      const ticked = accessIn(await readBody(request))
      const person = await assertPerson(parts.verifier, call)
      return await consent(parts, await findInteraction(parts, { tenant: parts.tenant, uid }), person, ticked)
    },
  },
  refuse: {
    method: 'POST',
    async answer(parts, { uid, request }) {
      const { error } = await readBody(request)
      return await refuseInteraction(parts, await findInteraction(parts, { tenant: parts.tenant, uid }), error)
    },
  },
}

/** The page of an interaction and its JSON. */
export function interactionRoutes(deps: InteractionDeps): WebRoutes {
  return (scope, door) => {
    const route = (path: string, act: RawAct) => {
      const name = `${mountPath}/i/:uid${path}`
      door.raw(scope, { url: name, name: () => name, maxBodyBytes: MAX_BODY_BYTES, deadlineMs: DEADLINE_MS }, act)
    }
    route('', sendPage(deps))
    for (const [path, { method, answer }] of Object.entries(ACTS)) route(`/${path}`, answerJson(deps, method, answer))
  }
}

function sendPage(deps: InteractionDeps): RawAct {
  return async (request, response, call) => {
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    if (!isRead || (await tenantOf(deps, call.host)) === undefined) throw commonRefusal(ErrorReason.NOT_SERVED)
    const html = await deps.page()
    response.statusCode = html === undefined ? 503 : 200
    response.setHeader('content-security-policy', PAGE_POLICY)
    response.setHeader('content-type', html === undefined ? 'text/plain; charset=utf-8' : 'text/html; charset=utf-8')
    response.end(html ?? 'The pages are missing: OIDC_PAGES names no folder with a built console.\n')
  }
}

function answerJson(deps: InteractionDeps, method: string, answer: Answer): RawAct {
  return async (request, response, call) => {
    const tenant = await tenantOf(deps, call.host)
    if (tenant === undefined || request.method !== method) throw commonRefusal(ErrorReason.NOT_SERVED)
    call.setTenant(tenant)
    if (method === 'POST') assertOwnPage(request, deps.issuers, tenant)
    const uid = uidIn(request.url)
    assertOwnBrowser(request, uid)
    const wait = await secondsToWait(deps, { method, path: '/i', source: call.source })
    if (wait !== undefined) throw commonRefusal(ErrorReason.LIMIT_EXCEEDED, {}, { retryAfterSeconds: wait })
    send(response, await answer({ ...deps, tenant }, { uid, request, call }))
  }
}

function uidIn(url = ''): string {
  return url.slice(`${mountPath}/i/`.length).split(/[/?]/, 1)[0] ?? ''
}

function send(response: ServerResponse, body: object): void {
  const text = JSON.stringify(body)
  response.setHeader('content-type', 'application/json')
  response.setHeader('content-length', Buffer.byteLength(text))
  response.end(text)
}
