import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { forbiddenIn, StatementLog } from './portable-sql.ts'
import { root, sourceFiles } from './suite/find-tests.ts'

const planted = [
  'listen people',
  'UNLISTEN *',
  "notify people, 'x'",
  "select pg_notify('people', $1)",
  'select pg_advisory_xact_lock($1)',
  'select pg_try_advisory_lock(1)',
  'set statement_timeout = 1',
  'reset all',
  "select set_config('a.b', $1, false)",
  'create temp table t (id int)',
  'deallocate all',
  'declare c cursor with hold for select 1',
  "select currval('s')",
  '/* a remark */ listen people',
  "SET application_name='a'; listen people",
]

const portable = [
  'set local lock_timeout = 500',
  'set transaction isolation level serializable',
  "SET application_name='gatehouse-user';SET TimeZone='UTC';",
  "select set_config('a.b', $1, true)",
  'update settings set listen = true where id = $1',
  "insert into people (name) values ('listen to me')",
  'select id from jobs for update skip locked',
  'create table if not exists t (id text)',
]

test('a statement that needs its session, or an advisory lock, is told from the others', () => {
  for (const statement of planted) assert.ok(forbiddenIn(statement), statement)
  for (const statement of portable) assert.equal(forbiddenIn(statement), undefined, statement)
})

test('what services send is read from the log of the server, and what others send is not', () => {
  const log = new StatementLog()
  const lines = [
    'gatehouse_user|LOG:  execute g_1: select id',
    '\tfrom people where id = $1',
    'gatehouse_user|LOG:  statement: begin',
    'gatehouse_auth|LOG:  execute <unnamed>: select 1;',
    'gatehouse_auth|LOG:  statement: listen',
    '\tpeople',
    'postgres|LOG:  statement: select pg_advisory_lock(1)',
    'gatehouse_auth|ERROR:  listen is no word',
  ]
  for (const line of lines) log.line(line)
  assert.equal(log.statements, 4)
  assert.deepEqual(log.offences, ['LISTEN lives in a session: gatehouse_auth: listen people'])
})

/** What stands in the source behind `sql`, or goes to the server as it is. Comments are out; what is put into a statement stands for itself. */
function statementsIn(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '')
  const begins = /(?:\bsql(?:<[^`()]*>)?|\b(?:raw|query)(?:<[^`()]*>)?\(\s*)([`'"])/g
  return [...code.matchAll(begins)].map(({ 0: opening, 1: quote = '`', index }) => {
    const from = index + opening.length
    const end = code.indexOf(quote, from)
    return code.slice(from, end === -1 ? undefined : end)
  })
}

test('no source of a service or a package that it is made of has such a statement', () => {
  const source = (extra: string) => `const a = 1 // sql\`listen x\`\nawait sql<{ n: number }>\`${extra}\`.execute(db)`
  assert.deepEqual(statementsIn(source('listen people')).map(forbiddenIn), ['LISTEN lives in a session'])
  assert.deepEqual(statementsIn(source('select 1')).map(forbiddenIn), [undefined])

  const files = sourceFiles(['.ts', '.mjs']).filter((file) => isOurs.test(file) && !/\.test\.ts$|-for-tests\.ts$/.test(file))
  const statements = files.flatMap((file) => statementsIn(readFileSync(join(root, file), 'utf8')).map((statement) => ({ file, statement })))
  assert.ok(statements.length > 200, `${statements.length} statements`)
  const found = statements.flatMap(({ file, statement }) => {
    const why = forbiddenIn(statement)
    return why === undefined ? [] : [`${file}: ${why}: ${statement.slice(0, 80)}`]
  })
  assert.deepEqual(found, [])
})

const isOurs = /^(services\/[^/]+|packages\/(postgres|events|service|rpc|identity|telemetry|client))\/src\//
