import { deleteChallengesOfPerson } from '../../store/challenges.ts'
import { deleteIdentities } from '../../store/connections/linked-identities.ts'
import { deleteCredential } from '../../store/credentials.ts'
import { deleteFactors } from '../../store/factors.ts'
import { forgetConsents } from '../../store/oidc/consents.ts'
import { forgetFailuresOf } from '../../store/password-failures.ts'
import { deleteNetworks } from '../../store/seen-before.ts'
import { deleteMarksOf } from '../../store/suspicions.ts'
import type { Db } from '../deps.ts'

/** Forgets a deleted person's password and factors, and everything that was on its way to them. */
export async function forgetPerson(tx: Db, person: { tenant: string; userId: string }): Promise<void> {
  await deleteChallengesOfPerson(tx, person)
  await deleteCredential(tx, person)
  await deleteFactors(tx, person)
  await forgetFailuresOf(tx, person)
  await deleteNetworks(tx, person)
  await deleteMarksOf(tx, person)
  await forgetConsents(tx, person)
  await deleteIdentities(tx, person)
}
