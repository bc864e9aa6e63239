import { availableParallelism } from 'node:os'
import { overloaded, showShed } from '@gatehouse/rpc'
import { hash } from '@node-rs/argon2'
import { nobodysHash, readHash } from './encoded-hash.ts'
import { type HashParameters, isOutdated, kindOf, leastParameters } from './hash-parameters.ts'
import { RefusalPace } from './refusal-pace.ts'
import { verifyEncoded } from './verify-encoded.ts'

/** Argon2id; the enum has no value at run time. */
const argon2id = 2

/** Results that leave at once: more would gain little, and each waits for the last of them. */
const mostTogether = 12

const mostWaitMs = { hash: 2_000, asking: 20 }

/** Hashes passwords, a bounded number at a time. Beyond that it refuses with `OVERLOADED`. */
export interface HashPool {
  /** A hash as it is made now, that no password has: whoever is unknown costs as much as whoever is known. */
  readonly nobodys: string
  /** Answers an encoded hash with its parameters and salt. */
  hash(password: string, signal?: AbortSignal): Promise<string>
  /** Compares; `false` is answered at one time for all kinds of hashes that are about. */
  verify(encoded: string, password: string, signal?: AbortSignal): Promise<boolean>
  /** The same for somebody who is refused whatever the password is. */
  refuse(encoded: string, password: string, signal?: AbortSignal): Promise<false>
  /** Whether the hash is to be made anew at the next chance: another algorithm, or parameters that have risen since. */
  isOutdated(encoded: string): boolean
  /** How long each kind of hash takes. */
  readonly pace: RefusalPace
  /** How long it takes to ask who somebody is, who is known and who is not. */
  readonly asking: RefusalPace
}

export interface HashPoolOptions {
  /** Hashes at once. */
  readonly running?: number
  /** In line behind them. */
  readonly waiting?: number
  readonly parameters?: HashParameters
}

/**
 * A pool of its own: `running` hashes at once, `waiting` more in line. Hashes run on libuv's threads, where files and name
 * look-ups run too: `UV_THREADPOOL_SIZE` has to leave room beside `running`.
 */
export function createHashPool({ running, waiting, parameters = leastParameters }: HashPoolOptions = {}): HashPool {
  showShed('hashes')
  const slot = createSemaphore(running ?? availableParallelism(), waiting ?? 64)
  const pace = new RefusalPace(mostWaitMs.hash)
  const options = { algorithm: argon2id, memoryCost: parameters.memoryKib, timeCost: parameters.passes, parallelism: 1 }

  /** The wait in line is the same for all kinds; what comes behind it is not. */
  async function judge(encoded: string, password: string, signal: AbortSignal | undefined, hopeless: boolean): Promise<boolean> {
    const { right, ms } = await slot(async () => {
      const began = performance.now()
      const right = await verifyEncoded(encoded, password)
      const ms = performance.now() - began
      const kind = readHash(encoded)?.kind
      if (kind !== undefined) pace.took(kind, ms)
      return { right, ms }
    }, signal)
    if (right && !hopeless) return true
    await pace.rest(ms, signal)
    return false
  }

  return {
    nobodys: nobodysHash(kindOf(parameters)),
    hash: (password, signal) => slot(() => hash(password, options), signal),
    verify: (encoded, password, signal) => judge(encoded, password, signal, false),
    async refuse(encoded, password, signal) {
      await judge(encoded, password, signal, true)
      return false
    },
    isOutdated: (encoded) => isOutdated(encoded, parameters),
    pace,
    asking: new RefusalPace(mostWaitMs.asking),
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

  const done: (() => void)[] = []

  /**
   * While others are in line, results leave together, as many as still wait at a time, up to a dozen. A hash leaves nothing of the event loop in the processor's caches:
   * what follows it goes twice as fast for eight at once as eight times for one.
   */
  async function leaveTogether(): Promise<void> {
    await new Promise<void>((resolve) => {
      done.push(resolve)
      if (done.length >= Math.min(line.size, mostTogether)) for (const go of done.splice(0)) go()
    })
  }

  return async (act, signal) => {
    await enter(signal)
    try {
      return await act()
    } finally {
      exit()
      await leaveTogether()
    }
  }
}
