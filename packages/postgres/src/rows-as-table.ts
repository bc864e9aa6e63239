import { type AliasedRawBuilder, type RawBuilder, sql } from 'kysely'

/** The Postgres type of each column of a row. */
export type ColumnTypes<Row> = { readonly [Column in keyof Row]-?: string }

/**
 * Rows as a table `name` of a statement, `unnest` of one array a column: the text is the same for any number of rows, so it is prepared once.
 * `arrayOf` gives a column's values, all of one length.
 */
export function rowsAsTable<Row extends object, Name extends string>(
  name: Name,
  types: ColumnTypes<Row>,
  arrayOf: <Column extends keyof Row & string>(column: Column) => RawBuilder<readonly Row[Column][]> | readonly Row[Column][],
): AliasedRawBuilder<Row, Name> {
  const columns = Object.keys(types) as (keyof Row & string)[]
  const arrays = columns.map((column) => sql`${arrayOf(column)}::${sql.raw(types[column])}[]`)
  return sql<Row>`unnest(${sql.join(arrays)})`.as<Name>(sql.raw(`${name}(${columns.join(', ')})`))
}
