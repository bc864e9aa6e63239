import { type ConsentKey, lockConsent, findConsent as readConsent, setConsent } from '../../../store/oidc/consents.ts'
import type { Db, Deps } from '../../deps.ts'
import type { Consent } from '../oidc-parts.ts'
import { words } from './merge-grants.ts'

/** What the person allowed the client, in whatever session. */
export async function findConsent(deps: Pick<Deps, 'db'>, key: ConsentKey): Promise<Consent | undefined> {
  return await readConsent(deps.db, key)
}

/** Adds to what was allowed, within the caller's transaction. */
export async function rememberConsent(tx: Db, key: ConsentKey, { scopes, claims, resources }: Consent, now: Date): Promise<void> {
  const before = await lockConsent(tx, key, now)
  const both = { ...before.resources }
  for (const [resource, scope] of Object.entries(resources)) both[resource] = words(both[resource], scope)
  await setConsent(tx, key, {
    scopes: [...new Set([...before.scopes, ...scopes])],
    claims: [...new Set([...before.claims, ...claims])],
    resources: both,
  })
}
