import { availableParallelism } from 'node:os'
import { overloaded, showShed } from '@gatehouse/rpc'
import { hash, verify } from '@node-rs/argon2'

/** The floor of OWASP: Argon2id (2; the enum has no value at run time), 19 MiB, two passes, one lane. */
const parameters = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const

/** Hashes passwords, a bounded number at a time. Beyond that it refuses with `OVERLOADED`. */
export interface HashPool {
  /** Answers an encoded hash with its parameters and salt. */
  hash(password: string, signal?: AbortSignal): Promise<string>
  verify(encoded: string, password: string, signal?: AbortSignal): Promise<boolean>
}

/**
 * A pool of its own: `running` hashes at once, `waiting` more in line. Hashes run on libuv's threads, where files and name
 * look-ups run too: `UV_THREADPOOL_SIZE` has to leave room beside `running`.
 */
export function createHashPool(size: { running?: number; waiting?: number } = {}): HashPool {
  showShed('hashes')
  const slot = createSemaphore(size.running ?? availableParallelism(), size.waiting ?? 64)
  return {
    hash: (password, signal) => slot(() => hash(password, parameters), signal),
    verify: (encoded, password, signal) => slot(() => verify(encoded, password), signal),
  }
}

type Slot = <T>(act: () => Promise<T>, signal: AbortSignal | undefined) => Promise<T>

function createSemaphore(running: number, waiting: number): Slot {
  let free = running
  const line = new Set<() => void>()

  async function enter(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    if (free > 0) {
      free -= 1
      return
    }
    if (line.size >= waiting) throw overloaded('hashes')
    await new Promise<void>((resolve, reject) => {
      const go = () => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      const leave = () => {
        line.delete(go)
        reject(signal?.reason)
      }
      line.add(go)
      signal?.addEventListener('abort', leave, { once: true })
    })
  }

  /** The slot passes on to the next in line without being free in between. */
  function exit(): void {
    const [next] = line
    if (next === undefined) {
      free += 1
      return
    }
    line.delete(next)
    next()
  }

  return async (act, signal) => {
    await enter(signal)
    try {
      return await act()
    } finally {
      exit()
    }
  }
}
