import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { compileFieldLimitKeys } from '@gatehouse/rpc'
import type { Deps } from '../deps.ts'

const keysOf = compileFieldLimitKeys(SessionService.method.signIn, 'email')

/** Forgets the wrong guesses for an address: its owner has proven to be there. */
export async function resetSignInLimit(deps: Pick<Deps, 'limits'>, input: { tenant: string; email: string }): Promise<void> {
  for (const key of keysOf(input.email)) await deps.limits.reset(key, input.tenant)
}
