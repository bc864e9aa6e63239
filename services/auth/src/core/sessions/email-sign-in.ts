import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { once, transact } from '@gatehouse/postgres'
import { emailKey } from '@gatehouse/rpc'
import { readSessionEpoch } from '../../store/session-epochs.ts'
import { type Retry, type SignInPlace, stranger } from '../accounts/caller.ts'
import { openSessionOf } from '../accounts/open-session-of.ts'
import { audit } from '../audit/audit.ts'
import { openChallenge } from '../challenges/open-challenge.ts'
import { type ProveInput, prove } from '../challenges/prove.ts'
import { requireNone } from '../connections/required-connection.ts'
import type { Deps } from '../deps.ts'
import { resolvePerson } from '../people/resolve-person.ts'
import { requireAllowed } from '../policies/allowed-factors.ts'
import { policyOf } from '../policies/policy-of.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { tellSuspendedTried } from '../suspicion/tell-suspended-tried.ts'
import type { SignInOutcome } from './pending-sign-in.ts'

export interface BeginEmailSignInInput {
  readonly tenant: string
  readonly email: string
  readonly retry: Retry
  /** A silent limit is exhausted: no other mail follows. */
  readonly withheld: boolean
}

/** Opens a challenge whether the address is known or not, and whether its mail goes out or not: nothing that follows tells them apart. */
export async function beginEmailSignIn(deps: Deps, input: BeginEmailSignInInput): Promise<string> {
  const { tenant, email: address, withheld } = input
  requireAllowed(await policyOf(deps, tenant), 'email')
  await requireNone(deps, tenant, address)
  const time = new Date(deps.now())
  const { id } = await transact(deps.db, (tx) =>
    once(tx, { tenant, caller: stranger, method: 'EmailSignInService.BeginEmailSignIn', ...input.retry }, async () => {
      const challenge = await openChallenge(tx, { tenant, kind: 'email_sign_in', address, time, withoutMail: withheld })
      await audit(tx, {
        tenant,
        kind: 'email_sign_in_request',
        details: { challenge: challenge.id, ...(withheld && { withheld: 'yes' }) },
      })
      return challenge.id
    }),
  )
  deps.committed()
  return id
}

export interface CompleteEmailSignInInput {
  readonly tenant: string
  /** What the mail does not have: whoever got only that signs nobody in. */
  readonly challengeId: string
  readonly proof: ProveInput['proof']
  readonly place: SignInPlace
}

/** Signs in whoever asked for the mail and has it, or asks for what their second factor needs. */
export async function completeEmailSignIn(deps: Deps, input: CompleteEmailSignInInput): Promise<SignInOutcome> {
  const { tenant, challengeId, place } = input
  if (challengeId === '') throw new TypeError('a sign-in by mail without its challenge')
  requireAllowed(await policyOf(deps, tenant), 'email')
  const { challenge, secret } = await prove(deps, { tenant, challengeId, proof: input.proof, purpose: 'email_sign_in' })
  const userId = secret.user_id ?? ''
  const epoch = await readSessionEpoch(deps.db, { tenant, userId })
  const user = await resolvePerson(deps, { tenant, by: { case: 'id', value: userId } })
  if (user?.state !== User_State.ACTIVE) {
    await tellSuspendedTried(deps, tenant, user)
    throw refuse(ErrorReason.PERSON_CANNOT_SIGN_IN)
  }
  // The mail proved a mailbox that is no longer the person's.
  if (emailKey(user.email) !== emailKey(secret.address)) throw refuse(ErrorReason.CHALLENGE_INVALID)
  // A session whose tokens nobody can sign is not opened.
  await deps.keys.signer(tenant)
  const overtakes = { kinds: ['email_sign_in'], addressKey: emailKey(user.email) } as const
  return await openSessionOf(deps, { tenant, user, epoch, place, challenge, overtakes, methods: ['mail'] })
}
