import { Code } from '@connectrpc/connect'
import { VerificationUnavailable } from '@gatehouse/identity'
import { isUnavailable } from '@gatehouse/postgres'
import { isUnavailableError, Refusal } from '@gatehouse/rpc'

/** Whether something that we stand on did not answer, so that nothing was decided. */
export function isAway(error: unknown): boolean {
  if (error instanceof Refusal) return error.code === Code.Unavailable || error.code === Code.ResourceExhausted
  return error instanceof VerificationUnavailable || isUnavailable(error) || isUnavailableError(error)
}

/** What whoever should come again is told. */
export const comeAgain = {
  error: 'temporarily_unavailable',
  error_description: 'the authorization server cannot answer now, try again',
} as const
