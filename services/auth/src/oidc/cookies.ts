/** Bound to its host and to https. The two short ones have paths of their own, which `__Host-` forbids. */
export const cookieNames = {
  session: '__Host-gatehouse-oidc',
  interaction: '__Secure-gatehouse-oidc-step',
  resume: '__Secure-gatehouse-oidc-resume',
} as const

/** Of the two that carry a browser through one request. */
export const stepCookie = { httpOnly: true, sameSite: 'lax', secure: true } as const

/** Of the browser's session. */
export const sessionCookie = { ...stepCookie, path: '/' } as const

/** How long the session of a browser lives in which nobody is signed in. */
export const ANONYMOUS_SECONDS = 3600
