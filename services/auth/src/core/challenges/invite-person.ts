import type { Db, Deps } from '../deps.ts'
import { openChallenge } from './open-challenge.ts'

/** Opens the challenge of an invitation within the caller's transaction. Address and name are the person's when the mail is rendered. */
export async function invitePerson(tx: Db, deps: Pick<Deps, 'now'>, input: { tenant: string; userId: string }): Promise<void> {
  await openChallenge(tx, { ...input, kind: 'invitation', time: new Date(deps.now()) })
}
