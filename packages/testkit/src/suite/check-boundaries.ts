import { runCommand } from './run-command.ts'
import type { StepOutcome } from './step.ts'

export async function checkBoundaries(signal: AbortSignal): Promise<StepOutcome> {
  return runCommand('depcruise', ['--config', '.dependency-cruiser.mjs', 'packages', 'services', 'deploy'], signal)
}
