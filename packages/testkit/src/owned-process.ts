import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'

/** How a process ended. `expected` is false when nobody had asked it to stop. */
export type ProcessEnd = {
  readonly expected: boolean
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** What it said last, at most 20 lines. */
  readonly lastLines: readonly string[]
}

/** A process that ends with its owner, even when the owner is killed with SIGKILL. */
export type OwnedProcess = AsyncDisposable & {
  readonly pid: number
  readonly lastLines: readonly string[]
  /** Resolves once the process is gone; never rejects. */
  readonly exited: Promise<ProcessEnd>
  /** Resolves with the first line for which `found` holds, or with undefined when the process ended or `timeoutMs` passed before. */
  readonly line: (found: (line: string) => boolean, timeoutMs: number) => Promise<string | undefined>
  /** Asks it to end with `stopSignal` and insists after `graceMs`. Calling twice is harmless. */
  readonly stop: () => Promise<ProcessEnd>
}

export type OwnedProcessOptions = {
  readonly command: string
  readonly args: readonly string[]
  readonly stopSignal: NodeJS.Signals
  readonly insistSignal: NodeJS.Signals
  readonly graceMs: number
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** Runs as this user; only root may ask for it. */
  readonly as?: { readonly uid: number; readonly gid: number }
  readonly log?: (line: string) => void
}

/**
 * Starts `command` in a session of its own: Ctrl-C in a terminal reaches the owner alone, which stops its processes in order.
 * A guard (a shell that waits for end of file on a pipe whose other end the owner holds) sends `stopSignal` when the owner dies unasked.
 */
export async function startOwned(options: OwnedProcessOptions): Promise<OwnedProcess> {
  const spawnOptions: SpawnOptions = {
    detached: true,
    ...options.as,
    ...(options.env && { env: options.env }),
    ...(options.cwd && { cwd: options.cwd }),
  }
  const child = spawn(options.command, options.args, { ...spawnOptions, stdio: ['ignore', 'pipe', 'pipe'] })
  await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject))
  const pid = child.pid ?? 0
  const guard = spawn('/bin/sh', ['-c', `read -r _ || kill -${options.stopSignal.slice(3)} "$1"`, 'guard', String(pid)], {
    ...spawnOptions,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  guard.on('error', () => undefined)
  guard.stdin?.on('error', () => undefined)
  guard.unref()

  const lastLines: string[] = []
  const watchers = new Set<(line: string | undefined) => void>()
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue
    createInterface({ input: stream }).on('line', (line) => {
      lastLines.push(line)
      if (lastLines.length > 20) lastLines.shift()
      options.log?.(line)
      for (const watch of watchers) watch(line)
    })
  }

  let asked = false
  const exited = new Promise<ProcessEnd>((resolve) => {
    child.once('close', (code, signal) => {
      guard.stdin?.end('\n')
      for (const watch of watchers) watch(undefined)
      resolve({ expected: asked, code, signal, lastLines })
    })
  })

  const line = (found: (line: string) => boolean, timeoutMs: number): Promise<string | undefined> =>
    new Promise((resolve) => {
      const finish = (value: string | undefined): void => {
        clearTimeout(timer)
        watchers.delete(watch)
        resolve(value)
      }
      const watch = (value: string | undefined): void => {
        if (value === undefined || found(value)) finish(value)
      }
      const timer = setTimeout(finish, timeoutMs, undefined)
      const earlier = lastLines.find(found)
      if (earlier !== undefined || hasEnded(child)) finish(earlier)
      else watchers.add(watch)
    })

  const stop = async (): Promise<ProcessEnd> => {
    if (!asked && !hasEnded(child)) {
      asked = true
      child.kill(options.stopSignal)
      const insist = setTimeout(() => child.kill(options.insistSignal), options.graceMs)
      await exited
      clearTimeout(insist)
    }
    return exited
  }

  return { pid, lastLines, exited, line, stop, [Symbol.asyncDispose]: async () => void (await stop()) }
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

/** The command line of a live process, its arguments separated by spaces; undefined when there is none (or it is a zombie). */
export async function commandLineOf(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    return text.replaceAll('\0', ' ').trim() || undefined
  }
  const ps = spawn('ps', ['-o', 'command=', '-p', String(pid)], { stdio: ['ignore', 'pipe', 'ignore'] })
  let text = ''
  for await (const chunk of ps.stdout) text += String(chunk)
  return text.trim() || undefined
}

/**
 * Names one life of a process, so that a pid that was given to another process since is not taken for it; undefined when it is not alive.
 * On Linux the start time in clock ticks since boot (field 22 of /proc/PID/stat).
 */
export async function lifeOf(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return (await commandLineOf(pid)) && String(pid)
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // A killed process stays a zombie until its parent has looked.
  const start = fields[0] === 'Z' ? undefined : fields[19]
  return start && `${pid} ${start}`
}

/** Waits until no process with this pid has `mark` in its command line; false when `timeoutMs` passed before. */
export async function waitUntilGone(pid: number, mark: string, timeoutMs: number): Promise<boolean> {
  const end = Date.now() + timeoutMs
  while ((await commandLineOf(pid))?.includes(mark)) {
    if (Date.now() > end) return false
    await delay(20)
  }
  return true
}
