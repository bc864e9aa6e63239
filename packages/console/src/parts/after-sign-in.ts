const key = 'gatehouse.after-sign-in'

/** Where this tab wanted to go when it was asked to sign in. */
export function comeBackTo(path: string): void {
  sessionStorage.setItem(key, path)
}

/** Where it goes now; asked once. */
export function afterSignIn(): string {
  const path = sessionStorage.getItem(key) ?? '/profile'
  sessionStorage.removeItem(key)
  // A path of ours and nothing else: whoever can write there must not choose a site.
  return /^\/[a-z]/.test(path) ? path : '/profile'
}

/** Whether an app waits for whoever signs in here. */
export function isAwaited(): boolean {
  return sessionStorage.getItem(key)?.startsWith('/oidc/') === true
}
