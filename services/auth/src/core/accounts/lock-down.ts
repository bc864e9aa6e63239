import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { transact } from '@gatehouse/postgres'
import { emailKey } from '@gatehouse/rpc'
import { closeCredential } from '../../store/credentials.ts'
import { type EnrolledFactorRow, listFactorsSince } from '../../store/enrolled-factors.ts'
import { holdPasskeysBack } from '../../store/passkeys.ts'
import { forgetNetworks } from '../../store/seen-before.ts'
import { deleteMarksOf, findSuspicion } from '../../store/suspicions.ts'
import { thePerson } from '../audit/actor.ts'
import { audit } from '../audit/audit.ts'
import { claimChallenge } from '../challenges/claim-challenge.ts'
import { openChallenge } from '../challenges/open-challenge.ts'
import { prove } from '../challenges/prove.ts'
import { unlinkSince } from '../connections/identities.ts'
import type { Deps } from '../deps.ts'
import { endGrants } from '../oidc/grants/end-grants.ts'
import { closePassword } from '../passwords/attempts.ts'
import { resolvePerson } from '../people/resolve-person.ts'
import { policyOf } from '../policies/policy-of.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { revokeSessionsOfUser } from '../sessions/revoke-sessions.ts'

/** Somebody may have been in before it was noticed: a token that came back was copied a while ago, and what is told once an hour is not told of whoever comes within it. */
const lookBackMs = 3_600_000

/** What somebody else may have left behind. */
export interface LockedDown {
  /** From when on it was looked for. */
  readonly since: Date
  readonly added: readonly EnrolledFactorRow[]
}

/**
 * "This was not me": whoever got the mail ends all that somebody else could be in by, in one transaction. The password is taken from nobody until there is another one, so that whoever
 * knows it does not come back. Without the user service nothing is used up: it is asked for the address that the password is closed for, and while it is away no session is refreshed either.
 * Second factors stay, whoever added them: with them gone, whoever reads the mailbox would be in by a mail for a new password. What was added lately is answered; a passkey among it does not open
 * the account alone, until it was shown beside something that the other one has not.
 */
export async function lockDown(deps: Deps, { tenant, token }: { tenant: string; token: string }): Promise<LockedDown> {
  const proof = { case: 'token', value: token } as const
  const { challenge, secret } = await prove(deps, { tenant, purpose: 'lock_down', challengeId: '', proof })
  const userId = secret.user_id ?? ''
  const [user, policy] = await Promise.all([resolvePerson(deps, { tenant, by: { case: 'id', value: userId } }), policyOf(deps, tenant)])
  const time = new Date(deps.now())
  const person = { tenant, userId }
  const suspicion = await findSuspicion(deps.db, { tenant, challengeId: challenge.id })
  const since = new Date((suspicion?.happen_time ?? challenge.create_time).getTime() - lookBackMs)
  const added = await transact(deps.db, async (tx) => {
    // What other mails of the kind could do is done, and no address is changed any more by a link that somebody else asked for. A link is good as long as it lives, also where the address was changed since: perhaps that was not the person either.
    const overtakes = { kinds: ['lock_down', 'email_change'], userId } as const
    if (!(await claimChallenge(tx, { tenant, id: challenge.id, time, overtakes }))) throw refuse(ErrorReason.CHALLENGE_INVALID)
    await revokeSessionsOfUser(tx, deps, { ...person, cause: 'locked_down', by: thePerson(userId) })
    await endGrants(tx, deps, person, { cause: 'locked_down', by: thePerson(userId) })
    // Not the counter alone: a sign-in that was under way would forget it again, and the password with which it was opened would be good once more.
    await closeCredential(tx, { ...person, nobodys: deps.hashing.nobodys })
    await holdPasskeysBack(tx, { ...person, since })
    await unlinkSince(tx, { ...person, since })
    await forgetNetworks(tx, person)
    // Who comes back is told of anew.
    await deleteMarksOf(tx, person)
    if (user && user.email !== '') await closePassword(tx, deps, { ...person, email: user.email })
    await audit(tx, { tenant, kind: 'lock_down', actor: thePerson(userId), subjectId: userId, details: { challenge: challenge.id } })
    // To nobody but whoever got the first mail.
    const mayReset = user?.state === User_State.ACTIVE && policy.factors.password && emailKey(user.email) === emailKey(secret.address)
    if (mayReset) await openChallenge(tx, { tenant, kind: 'reset', address: user.email, time })
    // Whoever adds one holds the epoch, which was raised above: it is there by now, or comes to nothing.
    return await listFactorsSince(tx, { ...person, since })
  })
  deps.committed()
  deps.log.info({ tenant, person: userId, added: added.length }, 'locked down by the link of a mail')
  return { since, added }
}
