import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A program of `programs/` as a process of its own; disposing it ends it. */
export interface Child<Acts> extends AsyncDisposable {
  readonly pid: number
  call<Name extends keyof Acts & string>(
    name: Name,
    ...input: Acts[Name] extends (...args: infer Args) => unknown ? Args : never
  ): Promise<Acts[Name] extends (...args: never) => Promise<infer Output> ? Output : never>
}

/** What a process has used of the machine. */
export interface Usage {
  readonly cpuSeconds: number
  readonly residentBytes: number
}

interface Reply {
  readonly id: number
  readonly output?: unknown
  readonly error?: string
}

/** Which cores the two ends of a measurement have; on a machine with one core they share it, and the conditions say so. */
export const cores = { server: 0, client: availableParallelism() > 1 ? 1 : 0 }

const taskset = (process.env.PATH ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'taskset'))
  .find((file) => existsSync(file))

/** Whether processes can be kept on their cores here. */
export const canPin = taskset !== undefined && availableParallelism() > 1

/**
 * V8 lets the young generation grow or not by what happened to live when it looked: two starts of the same program differ by a third. All sides of a
 * measurement get the size that V8 would at most give by itself, from the beginning.
 */
export const equalFlags = ['--min-semi-space-size=16', '--max-semi-space-size=16']

/** A command for a process that stays on one core, where that is wanted and can be had. */
export function onCore(
  core: number | undefined,
  command: readonly string[],
): { readonly command: string; readonly args: readonly string[] } {
  const [file = '', ...args] = canPin && taskset && core !== undefined ? [taskset, '-c', String(core), ...command] : command
  return { command: file, args }
}

/** Starts `programs/<name>.ts` on a core, or on any. */
export async function startChild<Acts>(
  program: string,
  core: number | undefined,
  env: Record<string, string> = {},
  flags = equalFlags,
): Promise<Child<Acts>> {
  const file = fileURLToPath(new URL(`./programs/${program}.ts`, import.meta.url))
  const { command, args } = onCore(core, [process.execPath, ...flags, ...profileFlags(program), file])
  const child = spawn(command, args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
    env: { ...process.env, NODE_NO_WARNINGS: '1', ...env },
  })
  const waiting = new Map<number, (reply: Reply) => void>()
  let last = 0
  child.on('message', (reply: Reply) => {
    waiting.get(reply.id)?.(reply)
    waiting.delete(reply.id)
  })
  const exited = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      for (const [id, settle] of waiting) settle({ id, error: `the program ended (${signal ?? code})` })
      resolve()
    })
  })
  await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject))
  return {
    pid: child.pid ?? 0,
    call(name, ...input) {
      const id = ++last
      return new Promise((resolve, reject) => {
        waiting.set(id, ({ output, error }) => (error === undefined ? resolve(output as never) : reject(new Error(`${program}: ${error}`))))
        child.send({ id, name, input: input[0] }, (error) => error && reject(error))
      })
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return
      if (child.connected) child.disconnect()
      const insist = setTimeout(() => child.kill('SIGKILL'), 5_000)
      await exited
      clearTimeout(insist)
    },
  }
}

/** `BENCH_PROFILE=echo-gatehouse:/tmp/profiles` leaves a CPU profile of that program, or of the replica of that service, there. */
export function profileFlags(program: string): readonly string[] {
  const [profiled, folder] = (process.env.BENCH_PROFILE ?? '').split(':')
  return profiled === program && folder ? ['--cpu-prof', `--cpu-prof-dir=${folder}`] : []
}
