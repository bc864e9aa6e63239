import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { eventMigrations } from '@gatehouse/events'
import { sharedMigrations } from '@gatehouse/postgres'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { migrations } from '../../../services/auth/src/store/migrations/index.ts'
import type { Schema } from '../../../services/auth/src/store/schema.ts'
import { type TestDatabase, testDatabase } from '../src/index.ts'
import { fill, largeTables } from './a-million-grants.ts'
import { statements } from './oidc-statements.ts'

interface Plan {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly 'Rows Removed by Index Recheck'?: number
  readonly 'Shared Hit Blocks'?: number
  readonly 'Shared Read Blocks'?: number
  readonly Plans?: readonly Plan[]
}

interface Seen {
  /** Rows that were read of a large table: by whom of the plan. */
  readonly problems: string[]
  readonly indexes: string[]
}

/** A page, or a piece of what is cleaned up, with room: far from all that there is of anything. */
const mostRows = 3_000

/** Down the tree of an index and to the row. */
const blocksOfRow = 6

let database: TestDatabase
let admin: pg.Client
let db: Kysely<Schema>
let ran: { sql: string; parameters: readonly unknown[] }[] = []

before(async () => {
  database = await testDatabase({ service: 'auth', sets: [sharedMigrations, eventMigrations, migrations] })
  admin = new pg.Client({ connectionString: database.adminUrl })
  await admin.connect()
  await admin.query('set search_path = gatehouse_auth')
  await fill(admin)
  const pool = new pg.Pool({ connectionString: database.url, max: 1 })
  const log = ({ query }: { query: { sql: string; parameters: readonly unknown[] } }) => void ran.push(query)
  db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }), log })
})
after(async () => {
  await db.destroy()
  await admin.end()
  await database[Symbol.asyncDispose]()
})

/** What a function of the store sends; nothing of it stays. */
async function sentBy(act: (tx: Kysely<Schema>) => Promise<unknown>): Promise<typeof ran> {
  ran = []
  const undone = new Error('undone')
  const outcome = await db
    .transaction()
    .execute(async (tx) => {
      await act(tx)
      throw undone
    })
    .catch((error: unknown) => error)
  assert.equal(outcome, undone)
  return ran.filter(({ sql }) => !/^(begin|commit|rollback)/i.test(sql))
}

/** How Postgres goes about it, and how much it read: it is run, and undone. `without` is what is not there meanwhile. */
async function look(sent: typeof ran, without?: string): Promise<Seen> {
  const seen: Seen = { problems: [], indexes: [] }
  await admin.query('begin')
  try {
    if (without !== undefined) await admin.query(`drop index ${without}`)
    for (const { sql, parameters } of sent) {
      const { rows } = await admin.query<{ 'QUERY PLAN': readonly { readonly Plan: Plan }[] }>(
        `explain (analyze, timing off, format json) ${sql}`,
        [...parameters],
      )
      for (const { Plan } of rows[0]?.['QUERY PLAN'] ?? []) walk(Plan, seen)
    }
  } finally {
    await admin.query('rollback')
  }
  return seen
}

function walk(plan: Plan, seen: Seen): void {
  const { 'Relation Name': table = '', 'Index Name': index, 'Node Type': node } = plan
  if (index !== undefined) seen.indexes.push(index)
  if (largeTables.includes(table) && /Scan/.test(node)) {
    const each = plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0) + (plan['Rows Removed by Index Recheck'] ?? 0)
    const read = each * plan['Actual Loops']
    const blocks = (plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0)
    // Whoever reads an index from end to end for a few rows says so by its pages alone.
    const isWhole = blocks > 200 + blocksOfRow * Math.max(read, plan['Actual Loops'])
    if (node === 'Seq Scan' || read > mostRows || isWhole) seen.problems.push(`${node} of ${read} rows, ${blocks} blocks, of ${table}`)
  }
  for (const inner of plan.Plans ?? []) walk(inner, seen)
}

test('every function of the store has its row', async () => {
  const folder = new URL('../../../services/auth/src/store/oidc/', import.meta.url)
  const names: string[] = []
  for (const file of readdirSync(folder).filter((each) => /^[a-z-]+\.ts$/.test(each))) {
    const module: Record<string, unknown> = await import(new URL(file, folder).href)
    names.push(...Object.keys(module).filter((name) => typeof module[name] === 'function'))
  }
  assert.deepEqual([...new Set(Object.keys(statements).map((each) => each.split(':')[0]))].sort(), names.sort())
})

test('of a million grants, and of what comes along with them, each statement reads by an index what it needs, and each index is read by one', async () => {
  const used = new Set<string>()
  const problems: string[] = []
  for (const [name, act] of Object.entries(statements)) {
    const sent = await sentBy(act)
    assert.ok(sent.length > 0, name)
    const seen = await look(sent)
    problems.push(...seen.problems.map((problem) => `${name}: ${problem}`))
    for (const index of seen.indexes) used.add(index)
  }
  assert.deepEqual(problems, [])
  const { rows } = await admin.query<{ indexname: string }>(
    `select indexname from pg_indexes where tablename = any($1) and tablename <> 'sessions' and indexdef like 'CREATE INDEX%'`,
    [largeTables],
  )
  assert.deepEqual(
    rows.map(({ indexname }) => indexname).filter((index) => !used.has(index)),
    [],
    'indexes that nothing reads',
  )
})

test('without its index, a statement is found out', async () => {
  const needed: readonly (readonly [statement: string, index: string])[] = [
    ['listClientsOfPerson', 'oidc_grants_of_person'],
    ['endGrants:rare client', 'oidc_grants_of_client'],
    ['endGrantsOfSessions', 'oidc_grants_of_session'],
    ['pruneGrants', 'oidc_grants_to_prune'],
    ['deleteConsentsOfClient', 'oidc_consents_of_client'],
    ['forgetGrantIds', 'oidc_session_clients_of_grant'],
    ['findByUserCode', 'oidc_records_by_user_code'],
    ['pruneRecords', 'oidc_records_to_prune'],
    ['claimLogouts', 'oidc_logouts_due'],
  ]
  for (const [name, index] of needed) {
    const act = statements[name] ?? assert.fail(name)
    const sent = await sentBy(act)
    assert.deepEqual((await look(sent)).problems, [], name)
    assert.notDeepEqual((await look(sent, index)).problems, [], `${name} without ${index}`)
  }
})
