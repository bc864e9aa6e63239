import assert from 'node:assert/strict'
import type { SignedInResult } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import type { User } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import type { Deps } from '../src/core/deps.ts'
import type { SignInOutcome } from '../src/core/sessions/pending-sign-in.ts'
import { refreshSession } from '../src/core/sessions/refresh-session.ts'
import { signIn } from '../src/core/sessions/sign-in.ts'
import { insertCredential } from '../src/store/credentials.ts'
import type { OpenedDeps } from './open-deps.ts'

export const rightPassword = 'correct horse battery'

let counter = 0

/** A person with a password, who is not signed in. */
export async function somebody({ deps, people }: OpenedDeps, tenant = 'default'): Promise<User> {
  const user = people.add(tenant, { email: `person-${++counter}@example.com` })
  const passwordHash = await deps.hashing.hash(rightPassword)
  await insertCredential(deps.db, { tenant, userId: user.id, passwordHash, time: new Date(deps.now()) })
  return user
}

const seen = { userAgent: 'Firefox on a desk', source: '203.0.113.77' }

export async function signSomebodyIn(deps: Deps, user: User, tenant = 'default'): Promise<SignedInResult> {
  return wholeOf(await signIn(deps, { tenant, email: user.email, password: rightPassword, ...seen }))
}

/** The session that a sign-in came to; fails where it asks for more. */
export function wholeOf(outcome: SignInOutcome): SignedInResult {
  assert.equal(outcome.case, 'signedIn')
  return outcome.value as SignedInResult
}

/** The same step of a sign-in, answering the session that it comes to. */
export function whole<Args extends unknown[]>(step: (...args: Args) => Promise<SignInOutcome>): (...args: Args) => Promise<SignedInResult> {
  return async (...args) => wholeOf(await step(...args))
}

export async function refresh(deps: Deps, refreshToken: string, tenant = 'default'): Promise<SignedInResult> {
  return await refreshSession(deps, { tenant, refreshToken, ...seen })
}

/** For `assert.rejects`: a refusal with this reason. */
export const refusedWith = (reason: string) => ({ name: 'Refusal', reason })
