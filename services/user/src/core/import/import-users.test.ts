import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { sql } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import { openUsers } from '../../../test/open-users.ts'
import { deleteUser } from '../delete-user.ts'
import { type ImportUsers, importUsers } from './import-users.ts'

const users = await openUsers()
after(() => users[Symbol.asyncDispose]())

type Person = { id?: string; name?: string; email?: string; locale?: string }

const written = (people: readonly (Person | string)[]): string =>
  people.map((person) => (typeof person === 'string' ? person : JSON.stringify(person))).join('\n')

/** Cuts a text into pieces where no line ends. */
async function* inPieces(text: string, length = 97): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

async function run(text: string, options: Partial<ImportUsers> = {}) {
  const problems: string[] = []
  const result = await importUsers(users.deps, {
    tenant: 'default',
    as: 'active',
    input: inPieces(text),
    onProblem: (sentence) => problems.push(sentence),
    batchSize: 10,
    ...options,
  })
  return { ...result, problems }
}

const everybody = async (tenant: string) =>
  await users.deps.db.selectFrom('users').select(['id', 'email', 'name', 'state']).where('tenant', '=', tenant).orderBy('id').execute()

const countEvents = async (tenant: string) =>
  Number((await sql<{ n: bigint }>`select count(*) as n from outbox where tenant = ${tenant}`.execute(users.deps.db)).rows[0]?.n)

const crowd = (count: number, name = 'person') =>
  Array.from({ length: count }, (_, n) => ({ id: uuidv7(), name: `Person ${n}`, email: `${name}-${n}@example.com` }))

test('people come in their canonical form, proven and active, each with its event', async () => {
  const tenant = 'forms'
  const id = uuidv7()
  const text = written([{ id: id.toUpperCase(), name: 'Ärö Ω', email: ' Ada@EXAMPLE.com ', locale: 'de-at' }])
  assert.deepEqual(await run(text, { tenant }), { lines: 1, imported: 1, existing: 0, taken: 0, bad: 0, problems: [] })
  const user = await users.deps.db.selectFrom('users').selectAll().where('tenant', '=', tenant).where('id', '=', id).executeTakeFirst()
  assert.deepEqual(
    { ...user, create_time: 0, update_time: 0 },
    {
      tenant,
      id,
      version: 1n,
      state: 'active',
      email: 'Ada@example.com',
      email_key: 'ada@example.com',
      email_verified: true,
      name: 'Ärö Ω',
      name_key: 'ärö ω',
      locale: 'de-AT',
      time_zone: '',
      create_time: 0,
      update_time: 0,
    },
  )
  const [event, ...more] = await users.eventsOf({ tenant, id })
  assert.deepEqual(more, [])
  assert.deepEqual({ ...event }, { $typeName: 'gatehouse.user.v1.UserCreated', userId: id, version: 1n })
})

test('invited people are asked to prove their mailbox', async () => {
  const tenant = 'invited'
  const id = uuidv7()
  await run(written([{ id, name: 'Bob', email: 'bob@example.com' }]), { tenant, as: 'invited' })
  const user = await users.deps.loadUser({ tenant, id })
  assert.deepEqual([user?.state, user?.email_verified], ['invited', false])
  const [event] = await users.eventsOf({ tenant, id })
  assert.deepEqual({ ...event }, { $typeName: 'gatehouse.user.v1.UserInvited', userId: id, version: 1n, inviterId: '', actor: '' })
})

test('bad lines are named with their first reason, and the others come in', async () => {
  const tenant = 'bad-lines'
  const text = written([
    { name: 'Good', email: 'good@example.com' },
    'not json',
    '[]',
    '',
    { name: '', email: 'nameless@example.com' },
    { name: 'No address', email: 'nowhere' },
    { name: 'Locale', email: 'locale@example.com', locale: 'e' },
    { id: '17', name: 'Id', email: 'id@example.com' },
    '{"name":"Number","email":3}',
    '{"name":"Extra","email":"extra@example.com","admin":true}',
    '{"name":"Null\\u0000","email":"null@example.com"}',
    { name: 'Turned \u202e', email: 'turned@example.com' },
    '{"name":"Extra","email":"extra@example.com","a\u202e\u009b":true}',
    { name: 'Good too', email: 'good-too@example.com' },
  ])
  const { problems, ...result } = await run(text, { tenant })
  assert.deepEqual(result, { lines: 13, imported: 2, existing: 0, taken: 0, bad: 11 })
  const startsOf = [
    'line 2 is not JSON',
    'line 3 is not a JSON object',
    'line 5 breaks a rule: name ',
    'line 6 breaks a rule: email ',
    'line 7 breaks a rule: locale ',
    'line 8 breaks a rule: id ',
    'line 9 has a field email that is not text',
    'line 10 has a field "admin" that no person has',
    'line 11 breaks a rule: name is only white space, or has control characters or ones that turn the direction of text',
    'line 12 breaks a rule: name is only white space, or has control characters or ones that turn the direction of text',
    'line 13 has a field "a\\u{202e}\\u{9b}" that no person has',
  ]
  assert.equal(problems.length, startsOf.length)
  for (const [index, start] of startsOf.entries()) assert.ok(problems[index]?.startsWith(start), problems[index])
  assert.deepEqual(
    (await everybody(tenant)).map(({ name }) => name),
    ['Good', 'Good too'],
  )
})

test('bytes that are no text, and lines without end, are bad lines like others', async () => {
  const tenant = 'bytes'
  const latin1 = Buffer.from('{"name":"J\xfcrgen","email":"j@example.com"}\n', 'latin1')
  const good = Buffer.from('\ufeff{"name":"Jürgen","email":"ju@example.com"}\r\n')
  async function* input() {
    yield* [good, latin1]
    for (let piece = 0; piece < 300; piece++) yield Buffer.alloc(1024, 'x')
    yield Buffer.from('\n{"name":"Last","email":"last@example.com"}')
  }
  const { problems, imported } = await run('', { tenant, input: input() })
  assert.deepEqual(problems, ['line 2 is not UTF-8', 'line 3 is longer than 64 KiB'])
  assert.equal(imported, 2)
})

test('a second run changes nothing, and tells nobody anything', async () => {
  const tenant = 'again'
  const text = written([...crowd(35), { name: 'Without id', email: 'without@example.com' }])
  assert.equal((await run(text, { tenant })).imported, 36)
  const before = await everybody(tenant)
  const commits = users.commits()
  assert.deepEqual(await run(text, { tenant }), { lines: 36, imported: 0, existing: 36, taken: 0, bad: 0, problems: [] })
  assert.deepEqual(await everybody(tenant), before)
  assert.equal(await countEvents(tenant), 36)
  assert.equal(users.commits(), commits)
})

test('a run that was interrupted leaves whole batches, and the next one makes it whole', async () => {
  const tenant = 'interrupted'
  const people = crowd(95)
  const text = written(people)
  async function* cutOff() {
    yield* inPieces(text.slice(0, text.length / 2))
    throw new Error('the power is gone')
  }
  await assert.rejects(run(text, { tenant, input: cutOff() }), { message: 'the power is gone' })
  const soFar = (await everybody(tenant)).length
  assert.ok(soFar > 0 && soFar < 95 && soFar % 10 === 0, `${soFar}`)
  assert.equal(await countEvents(tenant), soFar)
  const { imported, existing } = await run(text, { tenant })
  assert.deepEqual([imported, existing], [95 - soFar, soFar])
  assert.deepEqual(
    (await everybody(tenant)).map(({ id }) => id),
    people.map(({ id }) => id).toSorted(),
  )
  assert.equal(await countEvents(tenant), 95)
})

test('an address that somebody has is named, and its batch comes in without it', async () => {
  const tenant = 'taken'
  const owner = await users.register({ tenant, email: 'Owner@example.com', name: 'Owner' })
  const { problems, ...result } = await run(
    written([...crowd(12), { id: uuidv7(), name: 'Other', email: 'owner@EXAMPLE.com' }, ...crowd(4, 'more')]),
    {
      tenant,
    },
  )
  assert.deepEqual(result, { lines: 17, imported: 16, existing: 0, taken: 1, bad: 0 })
  assert.deepEqual(problems, ['line 13 has an e-mail address that another person has'])
  assert.equal((await users.deps.loadUser(owner))?.name, 'Owner')
})

test('who was deleted stays deleted, and the same address lives in two tenants', async () => {
  const [person] = crowd(1, 'gone')
  assert.ok(person)
  const text = written([person])
  await run(text, { tenant: 'first' })
  await deleteUser(users.deps, { tenant: 'first', id: person.id })
  assert.equal((await run(text, { tenant: 'first' })).existing, 1)
  assert.equal((await users.deps.loadUser({ tenant: 'first', id: person.id }))?.state, 'deleted')
  assert.equal((await run(text, { tenant: 'second' })).imported, 1)
})

test('people who sign up while a file comes in do not stop it', async () => {
  const tenant = 'meanwhile'
  const people = crowd(200)
  const [imported] = await Promise.all([
    run(written(people), { tenant }),
    ...people.filter((_, n) => n % 7 === 0).map(({ id, name, email }) => users.register({ tenant, id, name, email })),
  ])
  assert.equal(imported.imported + imported.existing, 200)
  assert.equal((await everybody(tenant)).length, 200)
  assert.equal(await countEvents(tenant), 200)
})
