import { compiledOnce, type Db, type Value } from '@gatehouse/postgres'
import { sql } from 'kysely'
import type { Schema } from './schema.ts'
import { columns } from './users.ts'

const firstId = '00000000-0000-0000-0000-000000000000'

/** How many are read at once; stands in the text of the statement, as the limits of other pages do. */
export const pageOfPeople = 250

const page = compiledOnce((db: Db<Schema>, value: Value<{ tenant: string; after: string }>) =>
  db
    .selectFrom('users')
    .select(columns)
    .where(
      'tenant',
      '=',
      value(({ tenant }) => tenant),
    )
    .where(
      'id',
      '>',
      value(({ after }) => after),
    )
    .orderBy('id')
    .limit(sql.raw<number>(String(pageOfPeople))),
)

/** A tenant's people in whatever state, the deleted too, in the order of their ids, from behind one of them. */
export const peopleById = (db: Db<Schema>, tenant: string, after: string) => page(db, { tenant, after: after || firstId })
