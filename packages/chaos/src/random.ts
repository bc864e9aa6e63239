import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/** Numbers that follow from a seed alone. */
export interface Random {
  readonly seed: number
  /** From `low` to `high`, both included. */
  integer(low: number, high: number): number
  /** True in so many of a hundred cases. */
  percent(share: number): boolean
  pick<T>(values: readonly T[]): T
  /** In the form of a UUID of version 4. */
  uuid(): string
  /** A stream of its own, which draws from this one do not move: what one worker draws does not depend on how fast another one is. */
  fork(name: string): Random
}

/** The same seed gives the same numbers, on every machine. */
export function createRandom(seed: number): Random {
  const generator = xoroshiro128plus(seed)
  const integer = (low: number, high: number) => uniformInt(generator, low, high)
  const hex = (digits: number) => Array.from({ length: digits }, () => integer(0, 15).toString(16)).join('')
  return {
    seed,
    integer,
    percent: (share) => integer(1, 100) <= share,
    pick(values) {
      if (values.length === 0) throw new RangeError('nothing to pick from')
      return values[integer(0, values.length - 1)] as (typeof values)[number]
    },
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`,
    fork: (name) => createRandom(mixed(seed, name)),
  }
}

/** FNV-1a over the name, begun with the seed. */
function mixed(seed: number, name: string): number {
  let hash = seed ^ 0x811c9dc5
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash | 0
}
