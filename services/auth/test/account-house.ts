import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { Refusal } from '@gatehouse/rpc'
import { sql } from 'kysely'
import { signUp } from '../src/core/accounts/sign-up.ts'
import { verifyEmail } from '../src/core/accounts/verify-email.ts'
import { type Revealed, revealSecret } from '../src/core/challenges/reveal-secret.ts'
import type { Deps } from '../src/core/deps.ts'
import { createTenant } from '../src/core/tenants/create-tenant.ts'
import { openDeps } from './open-deps.ts'
import type { PeopleStandIn } from './people-stand-in.ts'
import { wholeOf } from './sign-somebody-in.ts'

export const tenant = 'default'
export const otherTenant = 'other'
export const goodPassword = 'kz7vq9mmlp2xrtwe'
export const otherPassword = 'horse staple correct battery'
export const place = { userAgent: 'a test', source: '192.0.2.7' }
export const noRetry = { requestId: '', fingerprint: '' }

/** A row of the outbox. */
export interface ToldEvent {
  readonly type: string
  readonly key: string
  readonly version: bigint
}

/** What the use cases of accounts need, on a database of its own, with a clock that a test can move. */
export interface AccountHouse extends AsyncDisposable {
  readonly deps: Deps
  readonly people: PeopleStandIn
  /** Of the superuser. */
  readonly adminDatabaseUrl: string
  advance(seconds: number): void
  /** Another process on the same database. */
  replica(): Deps
  /** Renders a new mail of the challenge. */
  mailOf(challengeId: string, inTenant?: string): Promise<Revealed>
  events(): Promise<ToldEvent[]>
  /** Every row of every table of accounts and of the outbox, as text. */
  dump(): Promise<string>
  signUp(email: string, given?: { password?: string; tenant?: string }): Promise<string>
  /** Signs somebody up and in. */
  member(email: string, password?: string): Promise<{ userId: string; sessionId: string }>
}

export async function openAccountHouse(): Promise<AccountHouse> {
  const opened = await openDeps()
  const { deps, people } = opened
  await createTenant(deps, { id: otherTenant, origin: 'http://other.test' })

  const house: AccountHouse = {
    deps,
    people,
    adminDatabaseUrl: opened.adminDatabaseUrl,
    advance: (seconds) => opened.pass(seconds),
    replica: () => opened.replica(),
    mailOf: (challengeId, inTenant = tenant) => revealSecret(deps, { tenant: inTenant, challengeId, deliveryId: randomUUID() }),
    async events() {
      const { rows } = await sql<ToldEvent>`select type, key, version from outbox order by id`.execute(deps.db)
      return rows
    },
    async dump() {
      const tables = ['credentials', 'challenges', 'sign_ups', 'challenge_secrets', 'code_failures', 'outbox', 'requests', 'audit_entries']
      const dumps = tables.map(async (table) => {
        const { rows } = await sql<{ row: string }>`select to_jsonb(t)::text as row from ${sql.table(table)} t`.execute(deps.db)
        return rows.map((each) => `${table} ${each.row}`)
      })
      return (await Promise.all(dumps)).flat().join('\n')
    },
    signUp: (email, given = {}) =>
      signUp(deps, {
        tenant: given.tenant ?? tenant,
        email,
        password: given.password ?? goodPassword,
        name: 'Ada',
        locale: 'de',
        retry: noRetry,
      }),
    async member(email, password = goodPassword) {
      const challengeId = await house.signUp(email, { password })
      const { code } = await house.mailOf(challengeId)
      const proof = { case: 'code', value: code } as const
      const result = wholeOf(await verifyEmail(deps, { tenant, challengeId, proof, password: '', place }))
      return { userId: result.user?.id ?? '', sessionId: result.session?.id ?? '' }
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  }
  return house
}

/** Asserts that a call is refused for a reason of the contract. */
export async function refuses(reason: string, call: () => Promise<unknown>, metadata: Record<string, string> = {}): Promise<void> {
  await assert.rejects(call, (error: unknown) => {
    assert.ok(error instanceof Refusal, String(error))
    assert.equal(error.reason, reason)
    assert.deepEqual(error.metadata, metadata)
    return true
  })
}
