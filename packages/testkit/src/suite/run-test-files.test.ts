import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runTestFiles } from './run-test-files.ts'
import { shareProcesses } from './share-processes.ts'

const planted = (name: string): string => `packages/testkit/src/suite/planted-tests/${name}.ts`

async function run(...names: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const results = await runTestFiles(names.map(planted), {}, new AbortController().signal)
  assert.deepEqual(
    results.map(({ file }) => file),
    names.map(planted),
  )
  return Object.fromEntries(
    results.map(({ passed, failures, skipped }, at) => [
      names[at] ?? '',
      `${passed} passed, ${skipped.length} skipped${failures.map(({ name, reason }) => `; ${name}: ${reason.split('\n')[0]}`).join('')}`,
    ]),
  )
}

const good = '2 passed, 1 skipped'

test('files that share a process are told apart, and what is wrong with one is said of that one', async () => {
  const told = await run('passes', 'fails', 'cannot-open', 'passes-too')
  assert.deepEqual([told.passes, told['passes-too']], [good, good])
  assert.match(told.fails ?? '', /^1 passed, 0 skipped; is wrong: AssertionError/)
  assert.match(told['cannot-open'] ?? '', /^0 passed, 0 skipped; .*no house/)
})

test('where a process ends, none of its files has passed whose end was not told', async () => {
  const told = await run('passes', 'ends-the-process', 'passes-too')
  assert.match(Object.values(told).join('\n'), /ended with exit code 3/)
  for (const name of ['ends-the-process', 'passes-too']) assert.match(told[name] ?? '', /^0 passed, 0 skipped; /)
})

test('whoever changes the process has it alone, and every file runs once', () => {
  const files = [
    'packages/cli/src/find-command.test.ts',
    'packages/testkit/src/faults/clock-offset.test.ts',
    'packages/testkit/test/docs.test.ts',
  ]
  const groups = shareProcesses([...files, 'packages/cli/src/find-command.test.ts'])
  assert.deepEqual(
    groups.filter((group) => group.length > 1),
    [['packages/cli/src/find-command.test.ts', 'packages/cli/src/find-command.test.ts']],
  )
  assert.equal(groups.flat().length, 4)
})
