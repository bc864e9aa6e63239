import { type EventRow, insertEvents } from '@gatehouse/events'
import { type ColumnTypes, compiledOnce, type Db, type Request, rowsAsTable, type Value } from '@gatehouse/postgres'
import { sql } from 'kysely'
import type { Schema } from './schema.ts'
import { columns, keyOf, type NewUser, type UserRow } from './users.ts'

/** A person who is to be, the event that tells it, and the request that must not act twice. */
export type NewPerson = { readonly user: NewUser; readonly event: EventRow; readonly request?: Omit<Request, 'tenant'> | undefined }

type Asked = NewUser & { caller: string | null; method: string | null; request_id: string | null; fingerprint: string | null }

const types: ColumnTypes<Asked> = {
  tenant: 'text',
  id: 'uuid',
  state: 'text',
  email: 'text',
  email_key: 'text',
  email_verified: 'boolean',
  name: 'text',
  name_key: 'text',
  locale: 'text',
  caller: 'text',
  method: 'text',
  request_id: 'text',
  fingerprint: 'text',
}
const written = ['tenant', 'id', 'state', 'email', 'email_key', 'email_verified', 'name', 'name_key', 'locale'] as const

type RequestsTable = { tenant: string; caller: string; method: string; request_id: string; fingerprint: string; result_id: string }

type Args = { readonly asked: readonly Asked[]; readonly events: readonly EventRow[] }

/**
 * One statement for people, their events and their requests. It takes those whose id and address are free, the first of each address, and whose
 * request nobody has made yet, where a rival's uncommitted one is waited for. An address that a rival takes meanwhile fails the whole statement, so
 * that no request is ever kept without its person. The order by address keeps two statements from waiting for each other.
 */
const insert = compiledOnce((db: Db<Schema & { requests: RequestsTable }>, value: Value<Args>) =>
  db
    .with('free', (cte) =>
      cte
        .selectFrom(rowsAsTable('asked', types, (column) => value(({ asked }) => asked.map((each) => each[column]))))
        .selectAll()
        .distinctOn(['asked.tenant', 'asked.email_key'])
        // Looked up one by one in the indexes: as `not exists` it is a join, which is planned as a scan of all people while the table is young.
        .where(({ eb, selectFrom }) =>
          eb(
            selectFrom('users')
              .select('users.id')
              .whereRef('users.tenant', '=', 'asked.tenant')
              .whereRef('users.email_key', '=', 'asked.email_key'),
            'is',
            null,
          ),
        )
        .where(({ eb, selectFrom }) =>
          eb(
            selectFrom('users').select('users.id').whereRef('users.tenant', '=', 'asked.tenant').whereRef('users.id', '=', 'asked.id'),
            'is',
            null,
          ),
        )
        .orderBy('asked.tenant')
        .orderBy('asked.email_key'),
    )
    .with('claimed', (cte) =>
      cte
        .insertInto('requests')
        .columns(['tenant', 'caller', 'method', 'request_id', 'fingerprint', 'result_id'])
        .expression((from) =>
          from
            .selectFrom('free')
            .select(['tenant', 'caller', 'method', 'request_id', 'fingerprint', sql<string>`id::text`.as('result_id')])
            .where('request_id', 'is not', null),
        )
        .onConflict((conflict) => conflict.doNothing())
        .returning('result_id'),
    )
    .with('made', (cte) =>
      cte
        .insertInto('users')
        .columns(written)
        .expression((from) =>
          from
            .selectFrom('free')
            .select(written)
            .where(({ or, eb, selectFrom }) =>
              or([eb('request_id', 'is', null), eb(sql<string>`id::text`, 'in', selectFrom('claimed').select('result_id'))]),
            ),
        )
        .returning(columns),
    )
    .with('told', (cte) =>
      insertEvents(
        (column) => value(({ events }) => events.map((event) => event[column])),
        cte.selectFrom('made').select(['tenant', sql<string>`id::text`.as('key')]),
      ),
    )
    .selectFrom('made')
    .select(columns),
)

/**
 * Adds people who are plainly new, all or nobody; undefined stands for those about whom something is not plain, and nothing is written of them. Of
 * several with one id only the first can be: the event is found by it.
 */
export async function addUsers(db: Db<Schema>, people: readonly NewPerson[]): Promise<(UserRow | undefined)[]> {
  const first = new Map<string, NewPerson>()
  for (const person of people) if (!first.has(keyOf(person.user))) first.set(keyOf(person.user), person)
  const distinct = [...first.values()]
  const rows = await insert(db.withTables<{ requests: RequestsTable }>(), {
    asked: distinct.map(askedOf),
    events: distinct.map(({ event }) => event),
  })
  const made = new Map(rows.map((row) => [keyOf(row), row]))
  return people.map((person) => (first.get(keyOf(person.user)) === person ? made.get(keyOf(person.user)) : undefined))
}

const askedOf = ({ user, request }: NewPerson): Asked => ({
  ...user,
  caller: request?.caller ?? null,
  method: request?.method ?? null,
  request_id: request?.requestId ?? null,
  fingerprint: request?.fingerprint ?? null,
})
