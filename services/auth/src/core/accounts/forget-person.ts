import { deleteChallengesOfPerson } from '../../store/challenges.ts'
import { deleteCredential } from '../../store/credentials.ts'
import { deleteFactors } from '../../store/factors.ts'
import type { Db } from '../deps.ts'

/** Forgets a deleted person's password, factors and everything that was on its way to them. */
export async function forgetPerson(tx: Db, person: { tenant: string; userId: string }): Promise<void> {
  await deleteChallengesOfPerson(tx, person)
  await deleteCredential(tx, person)
  await deleteFactors(tx, person)
}
