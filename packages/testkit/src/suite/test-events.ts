import type { TestEvent } from 'node:test/reporters'
import { inspect } from 'node:util'

/** What a test file tells its runner: a test began, or it ended. */
export type TestMessage =
  | { readonly kind: 'began'; readonly name: string; readonly nesting: number }
  | {
      readonly kind: 'ended'
      readonly name: string
      readonly nesting: number
      readonly outcome: 'passed' | 'failed' | 'skipped'
      readonly reason: string
      /** Where it stands; of what has no place, undefined. */
      readonly file: string | undefined
      readonly seconds: number
    }

/** A reporter of node:test that sends messages to the parent process and prints nothing: what a test prints stays apart. */
export default async function* sendTestEvents(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    const message = messageOf(event)
    if (message) process.send?.(message)
  }
  yield ''
}

function messageOf(event: TestEvent): TestMessage | undefined {
  if (event.type === 'test:dequeue') return { kind: 'began', name: event.data.name, nesting: event.data.nesting }
  // What throws when its test is over fails the file, and is told nowhere else.
  if (event.type === 'test:diagnostic' && event.data.message.includes('asynchronous activity after the test ended'))
    return {
      kind: 'ended',
      name: 'after a test had ended',
      nesting: 0,
      outcome: 'failed',
      reason: event.data.message,
      file: undefined,
      seconds: 0,
    }
  if (event.type !== 'test:pass' && event.type !== 'test:fail') return undefined
  const { name, nesting, skip, todo, file, details } = event.data
  const ended = { kind: 'ended', name, nesting, file, seconds: details.duration_ms / 1000 } as const
  const left = skip ?? todo
  if (left !== undefined) return { ...ended, outcome: 'skipped', reason: typeof left === 'string' ? left : '' }
  if (event.type === 'test:pass') return { ...ended, outcome: 'passed', reason: '' }
  const { error } = event.data.details
  // The parent of a failed test adds nothing to what that one said.
  if ('failureType' in error && error.failureType === 'subtestsFailed') return { ...ended, outcome: 'passed', reason: '' }
  return { ...ended, outcome: 'failed', reason: explain(error) }
}

/** The error as it is, without the frames of the test runner itself. */
function explain(error: Error): string {
  const text = error.cause instanceof Error ? inspect(error.cause, { depth: 4 }) : String(error.cause ?? error.message)
  return text
    .split('\n')
    .filter((line) => !/^\s+at .*\(?(node:internal|node:async_hooks)/.test(line))
    .join('\n')
}
