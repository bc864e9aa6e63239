import type { Person } from './caller.ts'
import { Strength, strengthOfAcr, trustedDeviceMethod } from './strength.ts'
import { TokenInvalid } from './token-invalid.ts'

const word = /^[\x21-\x7e]{1,256}$/

/**
 * The person whom the claims of a token name, where each of them has its form. What a claim of a wrong form would mean is nobody's to guess.
 * @throws {@link TokenInvalid}
 */
export function personOfClaims(claims: Readonly<Record<string, unknown>>): Person {
  const {
    sub,
    tid,
    sid,
    gid,
    client_id: clientId,
    jti,
    exp,
    iat,
    permissions = [],
    gen = 0,
    auth_time: authTime = 0,
    acr,
    amr = [],
    permissions_time: readTime,
  } = claims
  if (!isWord(sub) || !isWord(tid) || !isWord(clientId) || !isWord(jti)) throw wrongForm('sub, tid, client_id or jti')
  if (sid !== undefined && !isWord(sid)) throw wrongForm('sid')
  if (gid !== undefined && !isWord(gid)) throw wrongForm('gid')
  if (!isList(permissions)) throw wrongForm('permissions')
  if (readTime !== undefined && !isCount(readTime)) throw wrongForm('permissions_time')
  if (!isCount(exp) || !isCount(iat) || !isCount(gen) || !isCount(authTime)) throw wrongForm('exp, iat, gen or auth_time')
  if ((acr !== undefined && !isWord(acr)) || !isList(amr)) throw wrongForm('acr or amr')
  return {
    kind: sid === undefined ? 'service_account' : 'person',
    id: sub,
    tenant: tid,
    sessionId: sid ?? '',
    ...(gid !== undefined && { grantId: gid }),
    tokenId: jti,
    generation: gen,
    strength: sid === undefined ? Strength.UNSPECIFIED : strengthOfAcr(acr),
    authTime: authTime * 1000,
    clientId,
    permissions: new Set(permissions),
    permissionsTime: readTime ?? iat * 1000,
    expireTime: exp * 1000,
    ...(amr.includes(trustedDeviceMethod) && { onTrustedDevice: true }),
  }
}

function wrongForm(claims: string): TokenInvalid {
  return new TokenInvalid(`${claims} has the wrong form`)
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && word.test(value)
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
}
