import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { checkBoundaries } from './check-boundaries.ts'
import { checkSizes } from './check-sizes.ts'
import { root } from './find-tests.ts'
import { runCommand } from './run-command.ts'
import type { StepOutcome } from './step.ts'

export type Check = { readonly name: string; readonly run: (signal: AbortSignal) => Promise<StepOutcome> }

export const baseline = 'proto/baseline.binpb'

/** In the order in which a mistake is cheapest to see. `buf` reads what the comparison of generated code has unpacked. */
export const checks: readonly Check[] = [
  { name: 'format', run: format },
  { name: 'lint', run: (signal) => runCommand('biome', ['lint', '--error-on-warnings', '--max-diagnostics=40'], signal) },
  { name: 'file sizes', run: async () => checkSizes() },
  { name: 'boundaries', run: checkBoundaries },
  { name: 'types', run: (signal) => runCommand('tsc', ['--noEmit', '--pretty', 'false'], signal) },
  { name: 'generated code', run: (signal) => runCommand(process.execPath, ['packages/contracts/scripts/generate.ts', '--check'], signal) },
  { name: 'buf lint', run: (signal) => runCommand('buf', ['lint'], signal) },
  { name: 'buf breaking', run: breaking },
]

async function format(signal: AbortSignal): Promise<StepOutcome> {
  const outcome = await runCommand('biome', ['check', '--linter-enabled=false', '--reporter=summary', '--max-diagnostics=40'], signal)
  return outcome.passed ? outcome : { passed: false, output: `${outcome.output.trim()}\n"pnpm exec biome check --write" puts it right.` }
}

async function breaking(signal: AbortSignal): Promise<StepOutcome> {
  if (!existsSync(join(root, baseline)))
    return { passed: false, output: `${baseline} is missing: "pnpm baseline" makes it from the contracts as they are.` }
  const outcome = await runCommand('buf', ['breaking', 'proto', '--against', baseline], signal)
  if (outcome.passed) return outcome
  return {
    passed: false,
    output: `${outcome.output}\nA change that breaks clients is meant only when "pnpm baseline" is committed with it.`,
  }
}
