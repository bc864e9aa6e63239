import { createHash, randomBytes } from 'node:crypto'
import { create } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { Factor, type NextStep, NextStepSchema, type SignedInResult } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import type { Strength } from '@gatehouse/identity'
import type { HeldFactors } from '../../store/factors.ts'
import { insertPendingSignIn, type PendingSignInRow, takeAttempt } from '../../store/pending-sign-ins.ts'
import { thePerson } from '../audit/actor.ts'
import { audit } from '../audit/audit.ts'
import { concerning } from '../audit/refusals.ts'
import type { Db, Deps } from '../deps.ts'
import { factorsToward } from '../factors/held-factors.ts'
import { newChallenge } from '../passkeys/attempts.ts'
import { relyingPartyOf } from '../passkeys/relying-party.ts'
import { requestOptions } from '../passkeys/request-options.ts'
import type { Demand } from '../policies/demands.ts'
import { ErrorReason, refuse } from '../refuse.ts'

/** What comes of a step of a sign-in; the shape of the answers' `result`. */
export type SignInOutcome =
  | { readonly case: 'signedIn'; readonly value: SignedInResult }
  | { readonly case: 'nextStep'; readonly value: NextStep }

/** NIST SP 800-63B-4, 3.1.3: no longer than ten minutes. */
const lifetimeMs = 10 * 60_000
const attempts = 5
/** Lets a scanner of secrets, and a person, recognise one that got into a wrong place. */
const prefix = 'ghc_'

/** A sign-in, or a step-up, as far as it has come. */
export interface PendingSignIn {
  readonly tenant: string
  readonly userId: string
  /** Null where a session is to be opened. */
  readonly sessionId: string | null
  readonly clientId: string
  /** Shown so far. */
  readonly methods: readonly string[]
  /** To be reached. */
  readonly strength: Strength
  /** Of the person's sessions, read before anything was checked. */
  readonly epoch: number
}

/** Keeps a half-finished sign-in within the caller's transaction and tells what is missing. Nothing but its continuation leads on from it. */
export async function beginNextStep(
  tx: Db,
  deps: Pick<Deps, 'now'>,
  pending: PendingSignIn,
  { held, enrol, trustDays = 0 }: Pick<Demand, 'held' | 'enrol'> & { trustDays?: number },
): Promise<NextStep> {
  const factors = enrol.length > 0 ? [] : factorsToward(pending.strength, pending.methods, held)
  // Nothing would lead on from there.
  if (factors.length + enrol.length === 0) throw refuse(ErrorReason.STRENGTH_OUT_OF_REACH)
  const time = new Date(deps.now())
  const expireTime = new Date(time.getTime() + lifetimeMs)
  const continuation = prefix + randomBytes(32).toString('base64url')
  const asked = factors.includes(Factor.PASSKEY) ? await askForPasskey(tx, pending.tenant, held) : undefined
  await insertPendingSignIn(tx, {
    tenant: pending.tenant,
    token_hash: hashOf(continuation),
    user_id: pending.userId,
    session_id: pending.sessionId,
    client_id: pending.clientId,
    methods: [...pending.methods],
    strength: pending.strength,
    epoch: pending.epoch,
    passkey_challenge: asked?.challenge ?? null,
    create_time: time,
    expire_time: expireTime,
  })
  const { tenant, userId, sessionId, methods } = pending
  // Who has shown nothing yet has done nothing yet.
  if (methods.length > 0)
    await audit(tx, {
      tenant,
      kind: sessionId === null ? 'sign_in_step' : 'step_up_step',
      actor: thePerson(userId),
      subjectId: userId,
      ...(sessionId !== null && { sessionId }),
      details: { methods: methods.join(' ') },
    })
  return create(NextStepSchema, {
    continuation,
    factors,
    passkeyOptionsJson: asked?.optionsJson ?? '',
    enrol: [...enrol],
    // What is to be raised is no sign-in, and whoever has not shown a password trusts nothing: it is what is asked for there.
    trustDays: sessionId === null && enrol.length === 0 && methods.includes('pwd') ? trustDays : 0,
    expireTime: timestampFromDate(expireTime),
  })
}

/** What the person's passkeys have to sign: this step's own, so that no answer to another one does. */
async function askForPasskey(tx: Db, tenant: string, held: HeldFactors): Promise<{ challenge: Uint8Array; optionsJson: string }> {
  const ceremony = { challenge: newChallenge(), relyingParty: await relyingPartyOf(tx, tenant) }
  return { challenge: ceremony.challenge, optionsJson: requestOptions(ceremony, held.passkeys) }
}

/** The sign-in that a continuation names, one attempt poorer. */
export async function goOn(
  deps: Pick<Deps, 'db' | 'now'>,
  input: { tenant: string; continuation: string; sessionId: string | null },
): Promise<PendingSignInRow> {
  const { tenant, sessionId } = input
  const key = { tenant, tokenHash: hashOf(input.continuation), sessionId, time: new Date(deps.now()), attempts }
  const pending = await takeAttempt(deps.db, key)
  if (pending === undefined) throw refuse(ErrorReason.CONTINUATION_INVALID)
  concerning(pending.user_id)
  return pending
}

function hashOf(continuation: string): Uint8Array {
  return createHash('sha256').update(continuation).digest()
}
