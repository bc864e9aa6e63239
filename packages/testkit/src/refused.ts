import assert from 'node:assert/strict'
import { Code, ConnectError } from '@connectrpc/connect'
import { BadRequestSchema, ErrorInfoSchema } from '@gatehouse/contracts/google/rpc/error_details_pb'

/** Asserts that a call is refused with this code and reason; gives the fields that break rules. */
export async function refused(call: Promise<unknown>, code: Code, reason: string, about = ''): Promise<string[]> {
  const error = await call.then(
    () => assert.fail(`${about} was not refused`),
    (thrown: unknown) => ConnectError.from(thrown),
  )
  const [info] = error.findDetails(ErrorInfoSchema)
  assert.deepEqual([Code[error.code], info?.reason], [Code[code], reason], about)
  return error.findDetails(BadRequestSchema).flatMap(({ fieldViolations }) => fieldViolations.map(({ field }) => field))
}
