/** The scopes that are ours; all others belong to a resource. */
export const offeredScopes = ['openid', 'offline_access', 'profile', 'email', 'groups'] as const
