import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** Runs a program and answers what it printed. Rejects with the last lines of what it said. */
export async function run(command: string, args: readonly string[], { cwd, env }: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
  try {
    const { stdout } = await execute(command, args, { maxBuffer: 2 ** 26, ...(cwd && { cwd }), ...(env && { env }) })
    return stdout
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    const said = `${stdout}\n${stderr}`.trim().split('\n').slice(-30).join('\n')
    throw new Error(`${[command, ...args].join(' ').slice(0, 300)}\nsaid:\n${said}`, { cause: error })
  }
}
