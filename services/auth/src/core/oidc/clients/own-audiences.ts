import { listTenants } from '../../../store/tenants.ts'
import type { Db } from '../../deps.ts'
import { ErrorReason, refuse } from '../../refuse.ts'

/** Of ours alone: our own doors take tokens for the first, and the others are kept for what may come. */
const ownNames = /^(gatehouse|gatehouse-.*|urn:gatehouse([:/].*)?)$/i

/** Refuses a resource or an audience that is ours: a token for one of them would open what no client may, or be taken for what our issuer says to itself. */
export async function refuseOwn(db: Db, names: readonly string[]): Promise<void> {
  const origins = (await listTenants(db)).map(({ origin }) => origin)
  const own = names.find((name) => ownNames.test(name) || isIssuer(name, origins))
  if (own !== undefined) throw refuse(ErrorReason.RESOURCE_RESERVED, { resource: own })
}

/** An origin of ours, or whatever is under its `/oidc`, however it is written; other paths of the host may be somebody's. */
function isIssuer(name: string, origins: readonly string[]): boolean {
  const url = URL.canParse(name) ? new URL(name) : undefined
  if (url === undefined || !origins.includes(url.origin)) return false
  return url.pathname === '/' || /^\/+oidc(\/|$)/i.test(url.pathname)
}
