import type { FileResult } from './run-test-files.ts'
import type { StepResult } from './step.ts'

export type Whole = {
  readonly steps: readonly StepResult[]
  readonly files: readonly FileResult[]
  readonly leftOut: readonly string[]
  readonly seconds: number
  readonly stopped: boolean
}

/** Prints the plain summary and answers whether everything passed. */
export function report({ steps, files, leftOut, seconds, stopped }: Whole): boolean {
  const failedSteps = steps.filter((step) => !step.passed)
  const failedFiles = files.filter((file) => file.failures.length > 0)
  const passedTests = files.reduce((sum, file) => sum + file.passed, 0)
  const failedTests = files.reduce((sum, file) => sum + file.failures.length, 0)
  const skipped = files.flatMap((file) => file.skipped.map(({ name, reason }) => `${file.file}: ${name}${reason ? ` (${reason})` : ''}`))
  const passed = failedSteps.length === 0 && failedFiles.length === 0
  const lines = [
    '',
    ...skipped.map((line) => `skipped: ${line}`),
    ...leftOut.map((line) => `left out: ${line}`),
    ...failedSteps.map(({ name }) => `failed: ${name}`),
    ...failedFiles.flatMap(({ file, failures }) => failures.map(({ name }) => `failed: ${file}${name === file ? '' : `: ${name}`}`)),
    [
      ...(steps.length > 0 ? [`${steps.length - failedSteps.length} of ${steps.length} checks passed`] : []),
      ...(files.length > 0 ? [`${passedTests} of ${passedTests + failedTests} tests passed in ${files.length} files`] : []),
      `${minutes(seconds)}`,
    ].join(', '),
    stopped ? 'STOPPED' : passed ? 'passed' : 'FAILED',
    '',
  ]
  process.stdout.write(lines.join('\n'))
  return passed
}

const minutes = (seconds: number): string =>
  seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
