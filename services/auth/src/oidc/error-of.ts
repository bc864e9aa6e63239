import { errors } from 'oidc-provider'
import { comeAgain, isAway } from '../core/oidc/is-away.ts'

/** Come again: nothing was decided, and nothing used up. The library's own error of that name is a 400, which clients take for good. */
export class Unavailable extends errors.OIDCProviderError {
  constructor(cause: unknown) {
    super(503, comeAgain.error, { cause })
    this.expose = true
    this.error_description = comeAgain.error_description
    // The library takes the cause's message for a detail, and a detail for something that may be shown.
    delete this.error_detail
  }
}

/** An error of ours as the library knows it; what it does not know is a fault, which it answers as `server_error`. */
export function errorOf(error: unknown): unknown {
  return isAway(error) ? new Unavailable(error) : error
}

/** Runs what the library calls of ours. */
export async function translated<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw errorOf(error)
  }
}
