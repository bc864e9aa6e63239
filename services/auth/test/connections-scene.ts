import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { ConnectionSettingsSchema } from '@gatehouse/contracts/gatehouse/auth/v1/connection_pb'
import type { User } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { createHashPool } from '../src/core/passwords/hash-pool.ts'
import { insertCredential } from '../src/store/credentials.ts'
import type { Db } from '../src/store/schema.ts'
import { origin } from './open-deps.ts'
import { type Visitor, visitorAt } from './page-visitor.ts'
import type { PeopleStandIn } from './people-stand-in.ts'
import { rightPassword } from './sign-somebody-in.ts'
import { upstreamClient } from './upstream-issuer.ts'

export type Settings = MessageInitShape<typeof ConnectionSettingsSchema>

export function connectionSettings(given: Settings = {}) {
  return create(ConnectionSettingsSchema, { name: 'Corp', clientId: upstreamClient.id, ...given })
}

/** What a page is answered. */
export interface Told {
  readonly status: number
  readonly reason: string
  readonly body: Record<string, unknown>
}

/** Pages of ours in a browser. */
export interface Pages {
  readonly browser: Visitor
  call(method: string, body?: object, token?: string, headers?: Record<string, string>): Promise<Told>
}

export function pagesAt(port: number): Pages {
  const browser = visitorAt(port)
  return {
    browser,
    async call(method, body = {}, token, headers = {}) {
      const sent = { origin, 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }), ...headers }
      const answer = await browser.visit(`${origin}/gatehouse.auth.v1.${method}`, {
        method: 'POST',
        headers: sent,
        body: JSON.stringify(body),
      })
      const read = (await answer.json()) as Record<string, unknown> & { details?: { type: string; debug?: { reason?: string } }[] }
      const reason = read.details?.find(({ type }) => type === 'google.rpc.ErrorInfo')?.debug?.reason ?? ''
      return { status: answer.status, reason, body: read }
    },
  }
}

/** Begins at a connection, goes there, and answers what the callback page has to show. */
export async function comeBack(
  pages: Pages,
  connectionId: string,
  visit: (url: string) => Promise<URL>,
  { rpc = 'BeginConnectionSignIn', token }: { rpc?: string; token?: string } = {},
): Promise<{ connectionId: string; state: string; code: string; iss: string }> {
  const begun = await pages.call(`ConnectionService/${rpc}`, { connectionId }, token)
  assert.equal(begun.status, 200, JSON.stringify(begun.body))
  const back = await visit(String(begun.body.url))
  assert.equal(back.origin + back.pathname, `${origin}/connections/callback/${connectionId}`)
  const of = (name: string) => back.searchParams.get(name) ?? ''
  return { connectionId, state: of('state'), code: of('code'), iss: of('iss') }
}

/** The whole way, in a browser that was never here. */
export async function signInBy(port: number, connectionId: string, visit: (url: string) => Promise<URL>): Promise<Told> {
  const pages = pagesAt(port)
  return await pages.call('ConnectionService/CompleteConnectionSignIn', await comeBack(pages, connectionId, visit))
}

let hash: Promise<string> | undefined

/** Somebody with a password, signed in with it in a browser of their own. */
export async function memberAt(
  house: { port: number; people: PeopleStandIn; db: Db },
  given: { email?: string; emailVerified?: boolean } = {},
) {
  const { email = `${randomUUID()}@example.com`, emailVerified = true } = given
  const user = house.people.add('default', { email, emailVerified })
  hash ??= createHashPool().hash(rightPassword)
  await insertCredential(house.db, { tenant: 'default', userId: user.id, passwordHash: await hash, time: new Date() })
  const pages = pagesAt(house.port)
  const { body } = await pages.call('SessionService/SignIn', { email, password: rightPassword })
  const { accessToken } = body.signedIn as { accessToken: string }
  return { user, pages, token: accessToken }
}

/** Who an answer signs in. */
export function personIn({ status, body }: Told): string {
  assert.equal(status, 200, JSON.stringify(body))
  return ((body.signedIn as { user?: User } | undefined)?.user?.id ?? '') as string
}
