/** The token is not one of ours for this audience, or no longer good. `message` says why, for logs only: callers are told nothing. */
export class TokenInvalid extends Error {
  constructor(why: string, options?: ErrorOptions) {
    super(why, options)
    this.name = 'TokenInvalid'
  }
}
