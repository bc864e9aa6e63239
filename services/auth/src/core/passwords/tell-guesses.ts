import { transact } from '@gatehouse/postgres'
import type { Deps } from '../deps.ts'
import { accountsOfSource, wrongPasswordsInRow } from '../suspicion/suspicion-kinds.ts'
import { tellSuspicion } from '../suspicion/tell-suspicion.ts'

type TellDeps = Pick<Deps, 'db' | 'now'>

/** Tells whoever has the account, or would have it, that its password is guessed at: both cost the same statements. `address` is the HMAC of it. */
export async function tellGuesses(
  deps: TellDeps,
  { tenant, userId, address, total }: { tenant: string; userId: string | null; address: Uint8Array; total: number },
): Promise<void> {
  if (total < wrongPasswordsInRow) return
  const about = userId === null ? { subject: Buffer.from(address).toString('hex') } : { userId }
  await transact(deps.db, (tx) => tellSuspicion(tx, deps, { tenant, kinds: ['password_guessed'], ...about, mail: true }))
}

/** Tells that a source fails at many accounts. Their owners are not told: nothing happened to them. */
export async function tellManyAccounts(
  deps: TellDeps,
  { tenant, source, accounts }: { tenant: string; source: Uint8Array; accounts: number },
): Promise<void> {
  if (accounts < accountsOfSource) return
  const subject = Buffer.from(source).toString('hex')
  await transact(deps.db, (tx) => tellSuspicion(tx, deps, { tenant, kinds: ['many_accounts'], subject, mail: false }))
}
