import { findTenant } from '../../store/tenants.ts'
import type { Db } from '../deps.ts'

/** To whom passkeys belong: nothing of it comes from a call. */
export interface RelyingParty {
  /** RP ID: the host name of the tenant's origin. */
  readonly id: string
  /** Where the tenant's pages live. */
  readonly origin: string
}

/** A tenant's origin is configuration: `PUBLIC_ORIGIN`, or the one that the tenant was made with. */
export async function relyingPartyOf(db: Db, tenant: string): Promise<RelyingParty> {
  const found = await findTenant(db, tenant)
  if (!found) throw new TypeError(`there is no tenant ${tenant}`)
  return { id: new URL(found.origin).hostname, origin: found.origin }
}
