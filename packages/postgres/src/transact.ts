import { setTimeout as delay } from 'node:timers/promises'
import type { Kysely, Transaction } from 'kysely'
import { isConflict, isStaleStatement } from './errors.ts'

const maxAttempts = 5

/**
 * Runs `act` in a transaction and commits it. On a serialisation failure or a deadlock (SQLSTATE 40001, 40P01) everything is
 * run again, at most five times in all: `act` must have no effect outside the transaction, and calls no peer while it is open.
 * An idle transaction is ended by the server after ten seconds.
 */
export async function transact<DB, T>(db: Kysely<DB>, act: (tx: Transaction<DB>) => Promise<T>): Promise<T> {
  if (db.isTransaction) throw new TypeError('a transaction is open already: pass it on instead of opening another')
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute(act)
    } catch (error) {
      if (attempt === maxAttempts || !(isConflict(error) || isStaleStatement(error))) throw error
      await delay(Math.random() * 10 * 2 ** attempt)
    }
  }
}
