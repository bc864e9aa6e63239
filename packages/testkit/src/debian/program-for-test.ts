import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { type BringOptions, type BroughtProgram, bringDebianProgram } from './bring-program.ts'
import type { DebianProgramName } from './programs.ts'

/**
 * A program for a test that is nothing without it. Where Debian cannot be asked the test is left out, with the reason, and there is none; where it answers
 * and the program does not come, the test fails: nobody may take it for having passed.
 */
export async function programForTest(
  t: Pick<TestContext, 'skip'>,
  name: DebianProgramName,
  options?: BringOptions,
): Promise<BroughtProgram | undefined> {
  const brought = await bringDebianProgram(name, options)
  if (brought.path !== undefined) return brought
  if (!brought.outOfReach) assert.fail(brought.why)
  t.skip(brought.why)
  return undefined
}
