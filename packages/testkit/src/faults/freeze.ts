import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { whenOwnerDies } from './when-owner-dies.ts'

/** Processes that stand still, as on a machine that is paused or swaps. */
export type Frozen = AsyncDisposable & {
  readonly pids: readonly number[]
  /** Lets them go on. Calling twice is harmless. */
  readonly thaw: () => Promise<void>
}

/**
 * Stops a process and all that descend from it (of PostgreSQL every backend) with SIGSTOP; settles when they stand still. They go on when it is disposed
 * of, and also when this process dies before.
 */
export async function freeze(pid: number): Promise<Frozen> {
  const pids: number[] = []
  // The parent stands still before anyone looks for its children, so that it makes no more of them.
  for (let generation = [pid]; generation.length > 0; ) {
    const stopped = generation.filter((each) => signal(each, 'SIGSTOP'))
    pids.push(...stopped)
    await Promise.all(stopped.map(untilStill))
    generation = (await childrenOf(stopped)).filter((child) => !pids.includes(child))
  }
  if (pids.length === 0) throw new Error(`there is no process ${pid} to freeze`)
  const takeBack = whenOwnerDies('kill -CONT "$@"', pids.map(String))
  let frozen = true
  const thaw = async (): Promise<void> => {
    if (!frozen) return
    frozen = false
    // Children first: a parent that goes on finds them alive.
    for (const each of pids.toReversed()) signal(each, 'SIGCONT')
    takeBack()
  }
  return { pids, thaw, [Symbol.asyncDispose]: thaw }
}

function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    // It ended by itself in between.
    return false
  }
}

/** The state (T is stopped) and the parent: fields 3 and 4 of /proc/PID/stat. */
async function statOf(pid: number): Promise<{ readonly state: string; readonly parent: number } | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const [state = '', parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return state === '' ? undefined : { state, parent: Number(parent) }
}

async function untilStill(pid: number): Promise<void> {
  for (const end = performance.now() + 5_000; performance.now() < end; await delay(2)) {
    const state = (await statOf(pid))?.state
    if (state === undefined || 'TtZX'.includes(state)) return
  }
  throw new Error(`process ${pid} does not stand still`)
}

async function childrenOf(parents: readonly number[]): Promise<number[]> {
  const all = (await readdir('/proc')).map(Number).filter((pid) => pid > 0)
  const stats = await Promise.all(all.map(async (pid) => ({ pid, parent: (await statOf(pid))?.parent ?? 0 })))
  return stats.filter(({ parent }) => parents.includes(parent)).map(({ pid }) => pid)
}
