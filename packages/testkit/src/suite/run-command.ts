import { spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { root } from './find-tests.ts'
import type { StepOutcome } from './step.ts'

/** Tools come from the workspace's own node_modules; Node from whoever runs us. */
const toolPath = [join(root, 'node_modules', '.bin'), join(process.execPath, '..'), process.env.PATH ?? ''].join(delimiter)

/** Runs a tool at the root of the repository; passed when it exits with 0. */
export async function runCommand(
  command: string,
  args: readonly string[],
  signal: AbortSignal,
  cwd = root,
): Promise<StepOutcome & { readonly output: string }> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, PATH: toolPath, FORCE_COLOR: '0' } })
  const abort = (): void => void child.kill()
  signal.addEventListener('abort', abort, { once: true })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  signal.removeEventListener('abort', abort)
  return { passed: code === 0, output }
}
