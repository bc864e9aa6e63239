import { type CompiledQuery, type RawBuilder, sql } from 'kysely'
import type { Db } from './connect.ts'

/** Stands in a statement for what each execution reads from its arguments. */
export type Value<Args> = <T>(read: (args: Args) => T) => RawBuilder<T>

/** A query of Kysely's, or a statement written with `sql`. */
type Buildable<DB, Row> = { compile(db: Db<DB>): CompiledQuery<Row> }

class Read<Args> {
  readonly of: (args: Args) => unknown

  constructor(of: (args: Args) => unknown) {
    this.of = of
  }
}

/**
 * A statement that Kysely builds and compiles at its first execution only: a third of the cost of a read by key is making its text anew. What differs
 * between executions stands in `build` as `value((args) => …)`; everything else is fixed.
 */
export function compiledOnce<DB, Args, Row>(
  build: (db: Db<DB>, value: Value<Args>) => Buildable<DB, Row>,
): (db: Db<DB>, args: Args) => Promise<Row[]> {
  let compiled: CompiledQuery<Row> | undefined
  return async (db, args) => {
    compiled ??= build(db, (read) => sql.val(new Read(read)) as RawBuilder<never>).compile(db)
    const parameters = compiled.parameters.map((parameter) => (parameter instanceof Read ? parameter.of(args) : parameter))
    const { rows } = await db.executeQuery<Row>({ ...compiled, parameters })
    return rows
  }
}
