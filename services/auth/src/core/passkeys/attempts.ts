import { randomBytes } from 'node:crypto'
import { type Timestamp, timestampFromDate } from '@bufbuild/protobuf/wkt'
import { v7 as uuidv7 } from 'uuid'
import { findPasskeyAttempt, insertPasskeyAttempt, type PasskeyAttemptRow } from '../../store/passkey-attempts.ts'
import type { Db, Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'

const lifetimeMs = 10 * 60_000

/** For whom a ceremony is: nobody yet where it is a sign-in, else the session that registers. */
export interface AttemptOwner {
  readonly tenant: string
  readonly userId: string | null
  readonly sessionId: string | null
}

export interface BegunAttempt {
  readonly attemptId: string
  readonly challenge: Uint8Array<ArrayBuffer>
  readonly expireTime: Timestamp
}

/** Keeps what the browser is about to be asked. */
export async function beginAttempt(db: Db, deps: Pick<Deps, 'now'>, owner: AttemptOwner): Promise<BegunAttempt> {
  const time = new Date(deps.now())
  const expireTime = new Date(time.getTime() + lifetimeMs)
  const [id, challenge] = [uuidv7(), newChallenge()]
  await insertPasskeyAttempt(db, {
    tenant: owner.tenant,
    id,
    user_id: owner.userId,
    session_id: owner.sessionId,
    challenge,
    create_time: time,
    expire_time: expireTime,
  })
  return { attemptId: id, challenge, expireTime: timestampFromDate(expireTime) }
}

/** The attempt that goes on. It is used up with what comes of it, so that an answer that could not be judged is not lost. */
export async function findAttempt(deps: Pick<Deps, 'db' | 'now'>, which: AttemptOwner & { id: string }): Promise<PasskeyAttemptRow> {
  const attempt = await findPasskeyAttempt(deps.db, { ...which, time: new Date(deps.now()) })
  if (attempt === undefined) throw refuse(ErrorReason.CONTINUATION_INVALID)
  return attempt
}

/** 32 random bytes: twice what ASVS 6.7.2 and WebAuthn Level 3, 13.4.3 ask for. */
export function newChallenge(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(randomBytes(32))
}
