import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { after, test } from 'node:test'
import { sql } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import { openUsers } from '../../../test/open-users.ts'
import { updateUser } from '../update-user.ts'
import { importUsers } from './import-users.ts'

const users = await openUsers()
after(() => users[Symbol.asyncDispose]())

type Person = { id?: string; name: string; email: string }

async function run(tenant: string, people: readonly Person[], batchSize = 10) {
  const problems: string[] = []
  const input = Readable.from([Buffer.from(people.map((person) => JSON.stringify(person)).join('\n'))])
  const result = await importUsers(users.deps, { tenant, as: 'active', input, onProblem: (said) => problems.push(said), batchSize })
  return { ...result, problems }
}

const namesOf = async (tenant: string) =>
  (await users.deps.db.selectFrom('users').select('name').where('tenant', '=', tenant).orderBy('name').execute()).map(({ name }) => name)

test('a line that repeats another is there; one that contradicts it is named with its line', async () => {
  const tenant = 'contradictions'
  const [id, other] = [uuidv7(), uuidv7()]
  const people = [
    { id, name: 'One', email: 'one@example.com' },
    { id, name: 'One', email: 'One@example.com' },
    { id, name: 'One', email: 'two@example.com' },
    { id, name: 'Two', email: 'one@example.com' },
    { id: other, name: 'One', email: 'one@example.com' },
    { name: 'One', email: 'ONE@example.com' },
    { name: 'Three', email: 'ONE@example.com' },
  ]
  const problems = [
    'line 3 has the same id as line 1, with another name or address',
    'line 4 has the same id as line 1, with another name or address',
    'line 5 has the same e-mail address as line 1, with another id',
    'line 7 has the same e-mail address as line 1, with another name',
  ]
  assert.deepEqual(await run(tenant, people), { lines: 7, imported: 1, existing: 2, taken: 4, bad: 0, problems })
  assert.deepEqual(await run(tenant, people), { lines: 7, imported: 0, existing: 3, taken: 4, bad: 0, problems })
  assert.deepEqual(await namesOf(tenant), ['One'])
})

test('a line that contradicts a person is named, whichever batch or file brought them', async () => {
  const tenant = 'far-apart'
  const id = uuidv7()
  const first = { id, name: 'One', email: 'one@example.com' }
  const contradicting = [
    { id, name: 'Two', email: 'one@example.com' },
    { id, name: 'One', email: 'two@example.com' },
    { id: uuidv7(), name: 'One', email: 'one@example.com' },
    { name: 'Four', email: 'One@example.com' },
  ]
  assert.equal((await run(tenant, [first])).imported, 1)
  const { problems, ...result } = await run(tenant, [first, ...contradicting], 1)
  assert.deepEqual(result, { lines: 5, imported: 0, existing: 1, taken: 4, bad: 0 })
  assert.deepEqual(problems.toSorted(), [
    'line 2 has the id of a person with another name or address',
    'line 3 has the id of a person with another name or address',
    'line 4 has an e-mail address that another person has',
    'line 5 has an e-mail address that a person with another name has',
  ])
  assert.deepEqual(await namesOf(tenant), ['One'])
})

test('a line that brought nobody is no rival of the one that mends it', async () => {
  const tenant = 'mended'
  await users.register({ tenant, email: 'owner@example.com', name: 'Owner' })
  const id = uuidv7()
  const { imported, problems } = await run(tenant, [
    { id, name: 'Other', email: 'owner@example.com' },
    { id, name: 'Other', email: 'other@example.com' },
  ])
  assert.deepEqual([imported, problems], [1, ['line 1 has an e-mail address that another person has']])
})

test('who took another name since is there by id, and named by address alone', async () => {
  const tenant = 'renamed'
  const id = uuidv7()
  await run(tenant, [{ id, name: 'Before', email: 'someone@example.com' }])
  await updateUser(users.deps, { tenant, id, etag: '', name: 'After' })
  assert.equal((await run(tenant, [{ id, name: 'Before', email: 'someone@example.com' }])).existing, 1)
  const { taken, problems } = await run(tenant, [{ name: 'Before', email: 'someone@example.com' }])
  assert.deepEqual([taken, problems], [1, ['line 1 has an e-mail address that a person with another name has']])
  assert.deepEqual(await namesOf(tenant), ['After'])
})

const crowd = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ id: uuidv7(), name: `Person ${n}`, email: `p${String(n).padStart(4, '0')}@example.com` }))

test('a batch is written in the order of addresses, whatever order the file has', async () => {
  const tenant = 'ordered'
  const people = crowd(50)
  await run(tenant, people.toReversed(), 50)
  const { rows } = await sql<{ email: string }>`select email from users where tenant = ${tenant} order by ctid`.execute(users.deps.db)
  assert.deepEqual(
    rows.map(({ email }) => email),
    people.map(({ email }) => email),
  )
})

test('imports of the same people in different orders all end, and everybody is there once', async () => {
  const tenant = 'at-once'
  const people = crowd(600)
  const strides = [1, 7, 11, 13, 599]
  const shuffled = strides.map((stride) => people.map((_, n) => people[(n * stride) % people.length]).filter((each) => each !== undefined))
  const results = await Promise.all(shuffled.map((each) => run(tenant, each, 50)))
  for (const { imported, existing, taken } of results) assert.deepEqual([imported + existing, taken], [600, 0])
  assert.equal(
    results.reduce((sum, { imported }) => sum + imported, 0),
    600,
  )
  assert.equal((await namesOf(tenant)).length, 600)
})

test('a batch that meets deadlocks is run again, more often than a transaction is', async () => {
  const { db } = users.deps
  await sql`create sequence deadlocks`.execute(db)
  await sql`create function deadlock() returns trigger language plpgsql as $$ begin
    if nextval('deadlocks') <= 6 then raise exception 'deadlock detected' using errcode = '40P01'; end if; return new; end $$`.execute(db)
  await sql`create trigger deadlock before insert on users for each row when (new.tenant = 'deadlocked') execute function deadlock()`.execute(
    db,
  )
  assert.equal((await run('deadlocked', crowd(5))).imported, 5)
})
