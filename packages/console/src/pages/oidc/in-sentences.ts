const scopes: Readonly<Record<string, string>> = {
  openid: 'Know that it is you',
  profile: 'Read your name, language and time zone',
  email: 'Read your e-mail address',
  groups: 'Read which groups you are in',
  offline_access: 'Go on for you while you are not here, until you remove it under Sessions',
}

const claims: Readonly<Record<string, string>> = {
  name: 'Read your name',
  locale: 'Read your language',
  zoneinfo: 'Read your time zone',
  updated_at: 'Read when your profile changed last',
  email: 'Read your e-mail address',
  email_verified: 'Read whether your e-mail address is proven',
  groups: 'Read which groups you are in',
  acr: 'Know how strongly you signed in',
  amr: 'Know by what you signed in',
  auth_time: 'Know when you signed in',
}

/** What a scope comes to, for a person; a scope of somebody else's resource by its name. */
export function ofScope(scope: string): string {
  return scopes[scope] ?? scope
}

export function ofClaim(claim: string): string {
  return claims[claim] ?? `Read your ${claim.replaceAll('_', ' ')}`
}
