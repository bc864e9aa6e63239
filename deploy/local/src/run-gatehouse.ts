import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { inherited, root } from './service-process.ts'

const run = promisify(execFile)

/** Runs the `gatehouse` command (of `tree`, another checkout) with the environment of a service and answers what it printed. Rejects with what it said when it fails. */
export async function runGatehouse(args: readonly string[], env: Record<string, string>, tree = root): Promise<string> {
  const { stdout } = await run(process.execPath, [join(tree, 'packages/cli/src/main.ts'), ...args], {
    cwd: tree,
    env: { ...inherited(), ...env },
    timeout: 120_000,
  })
  return stdout
}
