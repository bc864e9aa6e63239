/** What a step has to say; `output` is shown when it failed. */
export type StepOutcome = { readonly passed: boolean; readonly output?: string; readonly note?: string }
export type StepResult = { readonly name: string; readonly passed: boolean; readonly seconds: number }

/** Runs one step and prints its line: what it was, how it ended, how long it took; and all its output when it failed. */
export async function step(name: string, signal: AbortSignal, run: (signal: AbortSignal) => Promise<StepOutcome>): Promise<StepResult> {
  const began = performance.now()
  const outcome = await run(signal).catch(
    (error: unknown): StepOutcome => ({ passed: false, output: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  )
  const seconds = (performance.now() - began) / 1000
  process.stdout.write(
    `${outcome.passed ? '✓' : '✗'} ${name.padEnd(24)} ${seconds.toFixed(1).padStart(5)} s${outcome.note ? `  ${outcome.note}` : ''}\n`,
  )
  if (!outcome.passed && outcome.output) process.stdout.write(`${indent(outcome.output.trimEnd())}\n`)
  return { name, passed: outcome.passed, seconds }
}

export const indent = (text: string): string => text.replaceAll(/^(?=.)/gm, '    ')
