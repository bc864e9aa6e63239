import { acrOf, strengthOf } from '@gatehouse/identity'
import { SignJWT } from 'jose'
import { v4 as uuidv4 } from 'uuid'
import type { SessionRow } from '../../store/sessions.ts'
import type { Deps } from '../deps.ts'
import { permissionsOfRoles } from '../roles/permissions-of.ts'

/** The three services as one resource. */
const ownAudience = 'gatehouse'

export interface MintedToken {
  readonly token: string
  /** Milliseconds since 1970. */
  readonly expireTime: number
}

type MintDeps = Pick<Deps, 'batches' | 'keys' | 'now' | 'lifetimes'>

/** A token of a person for our own services, with what the person may do there by the roles that are `known`, or bound now. */
export async function mintPersonToken(deps: MintDeps, session: SessionRow, known?: readonly string[]): Promise<MintedToken> {
  // What is known was read after the session was written.
  const readTime = known === undefined ? deps.now() : session.last_use_time.getTime()
  const roles = known ?? (await deps.batches.roles({ tenant: session.tenant, id: session.user_id }))
  return await mint(deps, session.tenant, {
    audience: ownAudience,
    claims: { ...claimsOf(session), permissions: await permissionsOfRoles(deps, session.tenant, roles), permissions_time: readTime },
    notAfter: session.expire_time.getTime(),
  })
}

/** A token of a person that is good for another team's service only: it says who, and grants nothing in ours. */
export async function mintAudienceToken(deps: MintDeps, session: SessionRow, audience: string): Promise<MintedToken> {
  return await mint(deps, session.tenant, {
    audience,
    claims: claimsOf(session),
    notAfter: session.expire_time.getTime(),
  })
}

/** A token of a program with an account. Without a session it cannot be refreshed, and it calls nothing that needs a signed-in person. */
export async function mintServiceAccountToken(deps: MintDeps, account: { tenant: string; id: string; name: string }): Promise<MintedToken> {
  const readTime = deps.now()
  const permissions = await permissionsOfRoles(deps, account.tenant, await deps.batches.roles(account))
  return await mint(deps, account.tenant, {
    audience: ownAudience,
    claims: { sub: account.id, client_id: account.name, permissions, permissions_time: readTime },
    notAfter: Number.POSITIVE_INFINITY,
  })
}

function claimsOf(session: SessionRow) {
  return {
    sub: session.user_id,
    client_id: session.client_id,
    sid: session.id,
    auth_time: Math.floor(session.auth_time.getTime() / 1000),
    amr: session.amr,
    acr: acrOf(strengthOf(session.amr)),
    ...(session.generation > 0 && { gen: session.generation }),
  }
}

/** Signs a JWT of RFC 9068. */
async function mint(
  deps: MintDeps,
  tenant: string,
  what: { audience: string; claims: Record<string, unknown>; notAfter: number },
): Promise<MintedToken> {
  const { issuer, kid, key } = await deps.keys.signer(tenant)
  const issueSeconds = Math.floor(deps.now() / 1000)
  const expireSeconds = Math.min(issueSeconds + deps.lifetimes.accessTokenSeconds, Math.floor(what.notAfter / 1000))
  const token = await new SignJWT({ ...what.claims, tid: tenant })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid })
    .setIssuer(issuer)
    .setAudience(what.audience)
    .setIssuedAt(issueSeconds)
    .setExpirationTime(expireSeconds)
    .setJti(uuidv4())
    .sign(key)
  return { token, expireTime: expireSeconds * 1000 }
}
