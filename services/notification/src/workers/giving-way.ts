import type { Db } from '@gatehouse/postgres'
import { urgentWasPutOff } from '../store/deliveries.ts'
import type { Schema } from '../store/schema.ts'

/**
 * A mail server that takes only so many mails counts those that can wait as well: tried again and again, they use up what a code needs. While it puts
 * them off, and an urgent mail that it has put off too is about to be tried again, they stand aside; after ten seconds in which none was tried they try
 * their luck.
 */
export interface GivingWay {
  /** The mail server said "later" to a mail that can wait. */
  refused(): void
  /** Looks again where it matters, and answers `now`. Never rejects. */
  look(): Promise<boolean>
  /** Whether mails that can wait stand aside, as it was last seen. */
  readonly now: boolean
}

const refusedForMs = 10_000

export function createGivingWay(db: Db<Schema>): GivingWay {
  let refusedUntil = 0
  let seen = false
  return {
    refused() {
      refusedUntil = performance.now() + refusedForMs
    },
    async look() {
      seen = performance.now() < refusedUntil && (await urgentWasPutOff(db).catch(() => false))
      return seen
    },
    get now() {
      return seen
    },
  }
}
