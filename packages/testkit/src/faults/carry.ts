import type { Socket } from 'node:net'
import { type Direction, type Fault, holds } from './fault.ts'
import { reset } from './reset.ts'

/** One direction of one connection. */
export interface Carrier {
  /** Looks at the fault again: what waited for the old one may go now. */
  changed(): void
}

export interface Carriage {
  readonly from: Socket
  readonly to: Socket
  readonly direction: Direction
  readonly fault: () => Fault | undefined
  readonly random: () => number
  readonly carried: (bytes: Buffer) => void
}

type Freight = { readonly due: number; readonly what: Buffer | 'end' | 'reset' }

// More than this waits in the sender, as it would behind a real link.
const mostWaitingBytes = 1024 * 1024
const dripMs = 50

/**
 * Carries bytes, ends and resets in order, as slowly as the fault says. What a fault holds back is kept and not dropped: TCP would send it again, so
 * that a link that heals delivers all of it. (A real blackhole also withholds acknowledgements, which no program above TCP can.)
 */
export function carry({ from, to, direction, fault, random, carried }: Carriage): Carrier {
  const waiting: Freight[] = []
  let waitingBytes = 0
  let timer: NodeJS.Timeout | undefined
  let ended = false

  const take = (what: Freight['what']): void => {
    if (to.destroyed) return
    const now = fault()
    const late = now?.kind === 'latency' ? now.ms + (now.jitterMs ?? 0) * random() : 0
    // Jitter delays, it never reorders.
    waiting.push({ due: Math.max(performance.now() + late, waiting.at(-1)?.due ?? 0), what })
    if (typeof what !== 'string') waitingBytes += what.length
    if (waitingBytes > mostWaitingBytes) from.pause()
    if (timer === undefined) flow()
  }

  const flow = (): void => {
    timer = undefined
    while (waiting[0] !== undefined && !holds(fault(), direction)) {
      const { due, what } = waiting[0]
      const early = due - performance.now()
      if (early > 0) {
        later(early)
        return
      }
      if (typeof what === 'string') {
        waiting.shift()
        if (what === 'end') to.end()
        else reset(to)
        continue
      }
      const now = fault()
      const size = now?.kind === 'drip' ? Math.max(1, Math.floor((now.bytesPerSecond * dripMs) / 1000)) : what.length
      const rest = what.subarray(size)
      if (rest.length > 0) waiting[0] = { due, what: rest }
      else waiting.shift()
      give(what.subarray(0, size))
      if (now?.kind === 'drip') {
        later(dripMs)
        return
      }
    }
  }

  const give = (bytes: Buffer): void => {
    waitingBytes -= bytes.length
    carried(bytes)
    const room = to.writable && to.write(bytes)
    if (room || to.destroyed) from.resume()
    else from.pause()
  }

  const later = (ms: number): void => {
    timer = setTimeout(flow, Math.ceil(ms))
  }

  from.on('data', take)
  from.on('end', () => {
    ended = true
    take('end')
  })
  from.on('close', () => {
    if (!ended) take('reset')
  })
  to.on('drain', () => waitingBytes <= mostWaitingBytes && from.resume())
  to.on('close', () => {
    clearTimeout(timer)
    waiting.length = 0
  })
  return {
    changed() {
      clearTimeout(timer)
      flow()
    },
  }
}
