import assert from 'node:assert/strict'
import type { SignedInResult } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { transact } from '@gatehouse/postgres'
import type * as relying from 'openid-client'
import type { OidcActs } from '../src/core/oidc/oidc-parts.ts'
import { policyOf } from '../src/core/policies/policy-of.ts'
import { lifetimesIn } from '../src/core/policies/session-lifetimes.ts'
import { openSession } from '../src/core/sessions/open-session.ts'
import { signedIn } from '../src/core/sessions/signed-in.ts'
import type { DescribedInteraction } from '../src/oidc/interactions/describe.ts'
import { ISSUER, type OidcHouse } from './oidc-house.ts'
import { tenant } from './oidc-scene.ts'
import { type OpenedDeps, origin } from './open-deps.ts'
import type { Visitor } from './page-visitor.ts'
import { type Asked, ask, sentTo } from './relying-party.ts'

export interface Answered {
  readonly status: number
  readonly reason: string | undefined
  readonly metadata: Readonly<Record<string, string>> | undefined
  readonly location: string
}

/** The page of an interaction in the browser that was sent there. */
export interface InteractionPage {
  readonly uid: string
  readonly browser: Visitor
  readonly checks: Asked['checks']
  request(headers?: Record<string, string>): Promise<DescribedInteraction>
  /** What the page's script does; a header that is undefined is left out. */
  post(act: string, token: string | undefined, body?: object | string, headers?: Record<string, string | undefined>): Promise<Answered>
  /** Where the browser comes to from the address that an act answered. */
  follow(answered: Answered): Promise<URL>
}

/** Begins at the client, and stops at our page. */
export async function pageOf(browser: Visitor, client: relying.Configuration, more: Record<string, string> = {}): Promise<InteractionPage> {
  const { url, checks } = await ask(client, more)
  return await arrive(browser, checks, sentTo(await browser.visit(String(url))))
}

/** At the page that the browser was sent to. */
export async function arrive(browser: Visitor, checks: Asked['checks'], at: URL): Promise<InteractionPage> {
  assert.match(at.pathname, /^\/oidc\/i\/[\w-]{43}$/, String(at))
  const uid = at.pathname.split('/').pop() ?? ''
  return {
    uid,
    browser,
    checks,
    async request(headers = {}) {
      const answer = await browser.visit(`${at}/request`, { headers })
      assert.equal(answer.status, 200)
      return (await answer.json()) as DescribedInteraction
    },
    async post(act, token, body = {}, headers = {}) {
      const all = {
        origin,
        'content-type': 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...headers,
      }
      const sent = Object.fromEntries(Object.entries(all).filter((each): each is [string, string] => each[1] !== undefined))
      const answer = await browser.visit(`${at}/${act}`, {
        method: 'POST',
        headers: sent,
        body: typeof body === 'string' ? body : JSON.stringify(body),
      })
      return answered(answer.status, (await answer.json()) as Told)
    },
    async follow({ location }) {
      assert.equal(location, `${ISSUER}/auth/${uid}`)
      return sentTo(await browser.visit(location))
    },
  }
}

interface Told {
  readonly location?: string
  readonly details?: readonly { readonly debug?: { readonly reason?: string; readonly metadata?: Record<string, string> } }[]
}

function answered(status: number, { location = '', details = [] }: Told): Answered {
  const info = details.find(({ debug }) => debug?.reason !== undefined)?.debug
  return { status, location, reason: info?.reason?.replace(/^ERROR_REASON_/, ''), metadata: info?.metadata }
}

let counter = 0

/** Somebody who is signed in, without the work that a password is: anew where they are known. */
export async function openSessionOf({ deps, people }: OpenedDeps, known?: SignedInResult): Promise<SignedInResult> {
  const user = known?.user ?? people.add(tenant, { email: `page-${++counter}@example.com` })
  const lifetimes = lifetimesIn(await policyOf(deps, tenant))
  const input = { tenant, userId: user.id, userAgent: 'a page', source: '203.0.113.77', amr: ['pwd'], lifetimes, deviceKnown: true }
  return await signedIn(deps, await transact(deps.db, (tx) => openSession(tx, deps, input)), user)
}

/** A browser whose page has signed somebody in by the RPCs. */
export function browserOf(house: OidcHouse, acts: OidcActs, { session }: SignedInResult, generation = 0): Visitor {
  const browser = house.visitor()
  browser.cookies.set('__Host-gatehouse-oidc', acts.sessions.cookieOf(tenant, session?.id ?? '', generation))
  return browser
}
