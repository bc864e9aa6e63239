import { relative } from 'node:path'
import { checks } from './checks.ts'
import { findTests, root } from './find-tests.ts'
import { report } from './report.ts'
import { type FileResult, runTests } from './run-tests.ts'
import { type StepResult, step } from './step.ts'
import { withTestServers } from './test-servers.ts'

export interface SuiteOptions {
  readonly checksOnly: boolean
  /** The slow tests instead of the others. */
  readonly slow: boolean
  /** Puts a PgBouncer before PostgreSQL. */
  readonly throughPooler: boolean
  readonly under: readonly string[]
}

/** Runs the checks and the tests, prints how it went, and sets the exit code. With paths, or when asked for what is slow, those tests are all that runs. */
export async function runSuite({ checksOnly, slow, throughPooler, under }: SuiteOptions): Promise<void> {
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort(signal))

  const began = performance.now()
  const steps: StepResult[] = []
  let files: readonly FileResult[] = []

  const isWhole = under.length === 0 && !slow
  const found = findTests(under, slow)
  if (isWhole) {
    for (const check of checks) {
      if (!stopping.signal.aborted) steps.push(await step(check.name, stopping.signal, check.run))
    }
  }
  if (!checksOnly && !stopping.signal.aborted) {
    if (found.tests.length === 0) {
      steps.push(
        await step('tests', stopping.signal, async () => ({
          passed: false,
          output: `No test file under ${under.join(', ') || relative(process.cwd(), root) || '.'}.`,
        })),
      )
    } else {
      const run = await withTestServers({ signal: stopping.signal, throughPooler }, (env) => runTests(found.tests, env, stopping.signal))
      if ('failure' in run) steps.push({ name: 'tests', passed: false, seconds: 0 })
      else files = run.result
    }
  }

  const leftOut = [
    ...(under.length > 0 ? ['every check, and the tests outside these paths'] : []),
    ...(slow ? ['every check, and the tests that are not slow'] : []),
    ...(checksOnly ? ['all tests'] : found.leftOut.map(([file, command]) => `${file}, which "${command}" runs`)),
    ...(isWhole && !checksOnly
      ? ['the figures, which "npm run bench" measures', 'what else CI runs ("npm run verify"): days of chaos, two starts']
      : []),
  ]
  const stopped = stopping.signal.aborted
  const passed = report({
    steps,
    files,
    leftOut: [...leftOut, ...(stopped ? ['what was to come when it was stopped'] : [])],
    seconds: (performance.now() - began) / 1000,
    stopped,
  })
  if (stopped) process.exitCode = 130
  else if (!passed) process.exitCode = 1
}
