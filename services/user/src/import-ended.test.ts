import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { connect } from '@gatehouse/postgres'
import { testDatabase } from '@gatehouse/testkit'
import { sql } from 'kysely'
import { sentenceOf } from './import-ended.ts'

const database = await testDatabase({ service: 'user', sets: [] })
const connected = connect({ url: database.directUrl, statementTimeoutMs: 200 })
after(async () => {
  await connected[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

/** What is said of the error that a statement ends with. */
const saidOf = (statement: string): Promise<string | undefined> =>
  sql
    .raw(statement)
    .execute(connected.kysely)
    .then(() => undefined, sentenceOf)

const raised = (code: string): string => `do $$ begin raise exception 'about ada@example.com' using errcode = '${code}'; end $$`

test('every error of Postgres is a sentence that says what to do', async () => {
  const again = /Whole batches are in\. Run the same file again, which changes nobody who is there\.$/
  const said = {
    'select pg_sleep(5)': /^Postgres took too long over a batch/,
    [raised('40P01')]: /^Others wrote the same people at the same time.* \(SQLSTATE 40P01\)/,
    [raised('23505')]: /^Others wrote the same people/,
    [raised('53100')]: /^Postgres cannot be reached, or went away/,
    'select 1 from no_such_table': /^Postgres refused a batch \(SQLSTATE 42P01\): relation "no_such_table" does not exist\./,
    'select 1 from "\u202e"': /relation "\\u\{202e\}" does not exist/,
  }
  for (const [statement, expected] of Object.entries(said)) {
    const sentence = (await saidOf(statement)) ?? ''
    assert.match(sentence, expected)
    assert.match(sentence, again)
  }
})

test('what may quote a person is not repeated', async () => {
  for (const code of ['22001', '23514', '40001']) assert.match((await saidOf(raised(code))) ?? 'ada', /^(?!.*ada@).*SQLSTATE/)
})

test('an error of somebody else has no sentence here', () => {
  assert.equal(sentenceOf(new Error('the disk is gone')), undefined)
})
