import { Code } from '@connectrpc/connect'
import { codeToHttpStatus } from '@connectrpc/connect/protocol-connect'

/** HTTP status of an error: the Connect protocol's, except that what is not served is simply not found, and that an encoding is a matter of the body. */
export function httpStatus(code: Code, reason: string | undefined): number {
  if (code !== Code.Unimplemented) return codeToHttpStatus(code)
  return reason === 'ENCODING_NOT_SUPPORTED' ? 415 : 404
}
