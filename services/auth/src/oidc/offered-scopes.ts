/** What the scopes of a person say, and can be asked for by name too. */
export const offeredClaims = {
  profile: ['name', 'locale', 'zoneinfo', 'updated_at'],
  email: ['email', 'email_verified'],
  groups: ['groups'],
} as const

/** The scopes that are ours; all others belong to a resource. */
export const offeredScopes = ['openid', 'offline_access', 'profile', 'email', 'groups'] as const
