const goodForMs = 8 * 60_000

/** Makes a token when the one before has had most of its time. Whoever asks meanwhile waits for the same. */
export function administratorToken(make: () => Promise<string>): () => Promise<string> {
  let held: { readonly token: Promise<string>; readonly until: number } | undefined
  return () => {
    if (held !== undefined && performance.now() < held.until) return held.token
    // Good for a little longer, should it be a bad moment.
    const before = held
    const token = make().then((said) => said.trim())
    held = { token, until: performance.now() + goodForMs }
    token.catch(() => {
      held = before
    })
    return token
  }
}
