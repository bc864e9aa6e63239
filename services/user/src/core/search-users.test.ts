import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { encodePageToken, PageTokenInvalid } from '@gatehouse/postgres'
import { sql } from 'kysely'
import { openUsers } from '../../test/open-users.ts'
import { deleteUser } from './delete-user.ts'
import { searchUsers } from './search-users.ts'
import { updateUser } from './update-user.ts'

const users = await openUsers()
after(() => users[Symbol.asyncDispose]())

const namesFound = async (query: string, tenant = 'default') => {
  const page = await searchUsers(users.deps, { tenant, query, pageSize: 0, pageToken: '' })
  return page.users.map(({ name }) => name).toSorted()
}

test('finds by the start of name or address in any letter case', async () => {
  await users.invite({ name: 'Ada Lovelace', email: 'countess@example.com' })
  await users.invite({ name: 'Charles Babbage', email: 'Ada.friend@example.com' })
  await users.invite({ name: 'Bernadette', email: 'b@example.com' })
  assert.deepEqual(await namesFound('ada'), ['Ada Lovelace', 'Charles Babbage'])
  assert.deepEqual(await namesFound('ADA L'), ['Ada Lovelace'])
  assert.deepEqual(await namesFound('cOUNTESS@EXAMPLE.com'), ['Ada Lovelace'])
  assert.deepEqual(await namesFound('lovelace'), [])
})

test('wildcards mean themselves', async () => {
  const tenant = 'wild'
  for (const name of ['100% sure', '100 per cent', 'under_score', 'underXscore', 'back\\slash', "quote'; drop"])
    await users.invite({ tenant, name })
  assert.deepEqual(await namesFound('100%', tenant), ['100% sure'])
  assert.deepEqual(await namesFound('under_', tenant), ['under_score'])
  assert.deepEqual(await namesFound('back\\', tenant), ['back\\slash'])
  assert.deepEqual(await namesFound("quote';", tenant), ["quote'; drop"])
  assert.deepEqual(await namesFound('%', tenant), [])
  assert.deepEqual(await namesFound('_', tenant), [])
})

test('every script has prefixes', async () => {
  const tenant = 'scripts'
  for (const name of ['Ærøskøbing', 'ΟΔΟΣΣΕΥΣ', '山田太郎', '\u{10FFFF}last', '😀 smile', 'Straße']) await users.invite({ tenant, name })
  assert.deepEqual(await namesFound('æRØ', tenant), ['Ærøskøbing'])
  assert.deepEqual(await namesFound('οδος', tenant), ['ΟΔΟΣΣΕΥΣ'])
  assert.deepEqual(await namesFound('山', tenant), ['山田太郎'])
  assert.deepEqual(await namesFound('\u{10FFFF}', tenant), ['\u{10FFFF}last'])
  assert.deepEqual(await namesFound('😀', tenant), ['😀 smile'])
  assert.deepEqual(await namesFound('STRASS', tenant), ['Straße'])
})

/** Walks all pages; answers who was on them, and how many there were. */
async function walk(tenant: string, query: string, pageSize: number): Promise<{ ids: string[]; pages: number }> {
  const ids: string[] = []
  for (let pageToken = '', pages = 1; pages < 100; pages++) {
    const page = await searchUsers(users.deps, { tenant, query, pageSize, pageToken })
    assert.ok(page.users.length <= pageSize)
    ids.push(...page.users.map(({ id }) => id))
    pageToken = page.nextPageToken
    if (pageToken === '') return { ids, pages }
  }
  return assert.fail('the walk does not end')
}

test('walks the pages in the order of names, namesakes in the order of their ids', async () => {
  const tenant = 'pages'
  const made = await Promise.all(['c', 'a', 'b', 'a', 'a', 'd', 'a'].map((name) => users.invite({ tenant, name: `Same ${name}` })))
  const { ids } = await walk(tenant, 'same', 2)
  const expected = made.toSorted((a, b) => (a.name === b.name ? (a.id < b.id ? -1 : 1) : a.name < b.name ? -1 : 1)).map(({ id }) => id)
  assert.deepEqual(ids, expected)
})

test('who is found by name and by address is found once, whichever comes first, on pages of every size', async () => {
  const tenant = 'both'
  const made = [
    ...(await Promise.all(
      Array.from({ length: 9 }, (_, n) => users.invite({ tenant, name: `Ada ${n}`, email: `${n % 2 ? 'ada' : 'adb'}-${n}@example.com` })),
    )),
    await users.invite({ tenant, name: 'Adz', email: 'ada@example.com' }),
    await users.invite({ tenant, name: 'ad', email: 'ad@example.com' }),
    await users.invite({ tenant, name: 'Bob', email: 'adm@example.com' }),
    await users.invite({ tenant, name: 'Ado', email: 'bob@example.com' }),
  ].map(({ id }) => id)
  await users.invite({ tenant, name: 'Charles', email: 'charles@example.com' })
  for (const size of [1, 2, 3, 5, 13, 14, 200])
    assert.deepEqual((await walk(tenant, 'AD', size)).ids.toSorted(), made.toSorted(), `${size}`)
})

test('many who were found already make a page short and never lose anybody', async () => {
  const tenant = 'crowd'
  await sql`insert into users (tenant, id, state, email, email_key, email_verified, name, name_key, locale)
    select ${tenant}, uuidv7(), 'active', key, key, true, key, key, 'en'
    from (select 'k' || case when n % 2 = 0 then ' ' else '-' end || n as key from generate_series(1, 10) n) few`.execute(users.deps.db)
  // Names stand before all addresses: a walk meets everybody again, more of them than one call looks at.
  await sql`insert into users (tenant, id, state, email, email_key, email_verified, name, name_key, locale)
    select ${tenant}, uuidv7(), 'active', 'ka-' || n, 'ka-' || n, true, 'ka ' || n, 'ka ' || n, 'en'
    from generate_series(1, 6000) n`.execute(users.deps.db)
  const { ids, pages } = await walk(tenant, 'k', 200)
  assert.equal(ids.length, 6010)
  assert.equal(new Set(ids).size, 6010)
  assert.ok(pages > Math.ceil(6010 / 200), `${pages}`)
})

test('who is renamed or deleted while somebody walks moves nobody else', async () => {
  const tenant = 'walking'
  const made = await Promise.all(['a', 'b', 'c', 'd'].map((name) => users.invite({ tenant, name: `Walk ${name}` })))
  const first = await searchUsers(users.deps, { tenant, query: 'walk', pageSize: 2, pageToken: '' })
  for (const user of first.users) await deleteUser(users.deps, user)
  const second = await searchUsers(users.deps, { tenant, query: 'walk', pageSize: 2, pageToken: first.nextPageToken })
  assert.deepEqual(
    second.users.map(({ id }) => id),
    made.slice(2).map(({ id }) => id),
  )
})

test('a token belongs to its query and tenant', async () => {
  const tenant = 'tokens'
  await users.invite({ tenant, name: 'Same one' })
  await users.invite({ tenant, name: 'Same two' })
  const { nextPageToken: pageToken } = await searchUsers(users.deps, { tenant, query: 'same', pageSize: 1, pageToken: '' })
  await assert.rejects(searchUsers(users.deps, { tenant, query: 'sam', pageSize: 1, pageToken }), PageTokenInvalid)
  await assert.rejects(searchUsers(users.deps, { tenant: 'other', query: 'same', pageSize: 1, pageToken }), PageTokenInvalid)
  const made = encodePageToken(JSON.stringify(['SearchUsers', tenant, 'same']), ['other', '00000000-0000-0000-0000-000000000000'])
  await assert.rejects(searchUsers(users.deps, { tenant, query: 'same', pageSize: 1, pageToken: made }), PageTokenInvalid)
})

test('follows a new name, forgets the deleted, sees no other tenant', async () => {
  const tenant = 'moving'
  const user = await users.invite({ tenant, name: 'Before' })
  await users.invite({ tenant: 'elsewhere', name: 'After too' })
  await updateUser(users.deps, { ...user, etag: '', name: 'After', locale: undefined, timeZone: undefined })
  assert.deepEqual(await namesFound('before', tenant), [])
  assert.deepEqual(await namesFound('after', tenant), ['After'])
  await deleteUser(users.deps, user)
  assert.deepEqual(await namesFound('after', tenant), [])
})
