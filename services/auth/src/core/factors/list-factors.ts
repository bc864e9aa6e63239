import { findFactors, type HeldFactors } from '../../store/factors.ts'
import { findTotp } from '../../store/totp-factors.ts'
import type { Deps } from '../deps.ts'

export interface ListedFactors extends HeldFactors {
  readonly totpTimes?: { readonly create: Date; readonly lastUse: Date | null }
}

/** What a person has beside, or as, a password. */
export async function listFactors(deps: Pick<Deps, 'db'>, person: { tenant: string; userId: string }): Promise<ListedFactors> {
  const held = await findFactors(deps.db, person)
  const row = held.totp ? await findTotp(deps.db, person) : undefined
  return row?.confirm_time ? { ...held, totpTimes: { create: row.confirm_time, lastUse: row.last_use_time } } : held
}
