/**
 * What a provider elsewhere says of whoever came back from it, whatever protocol it was said in: all that the rest sees. Another protocol, SAML for one, is
 * another file that makes one of these.
 */
export interface UpstreamAssertion {
  /** With `subject` it is who that is: an address may come to belong to somebody else. */
  readonly issuer: string
  readonly subject: string
  /** Canonical; empty where there is none. */
  readonly email: string
  /** The provider said so, and nothing that could be taken for it. */
  readonly emailVerified: boolean
  /** Empty where it is not told. */
  readonly name: string
  readonly locale: string
  readonly claims: Readonly<Record<string, unknown>>
}

/** What came back does not hold: `message` is for the log. */
export class UpstreamUnbelieved extends Error {
  override readonly name = 'UpstreamUnbelieved'
}

/** The provider did not answer, or not as one does. */
export class UpstreamAway extends Error {
  override readonly name = 'UpstreamAway'
  readonly problem: 'discovery' | 'issuer' | 'token' | 'api'

  constructor(problem: UpstreamAway['problem'], cause: unknown) {
    super(`the provider failed at its ${problem}`, { cause })
    this.problem = problem
  }
}
