import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { PageTokenInvalid } from '@gatehouse/postgres'
import { openUsers } from '../../test/open-users.ts'
import { deleteUser } from './delete-user.ts'
import { searchUsers } from './search-users.ts'
import { updateUser } from './update-user.ts'

const users = await openUsers()
after(() => users[Symbol.asyncDispose]())

const namesFound = async (query: string, tenant = 'default') => {
  const page = await searchUsers(users.deps, { tenant, query, pageSize: 0, pageToken: '' })
  assert.deepEqual(
    page.users.map(({ id }) => id),
    page.users.map(({ id }) => id).toSorted(),
  )
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

test('walks the pages in the order of ids', async () => {
  const tenant = 'pages'
  const made = await Promise.all(Array.from({ length: 7 }, (_, index) => users.invite({ tenant, name: `Same ${index}` })))
  const found: string[] = []
  for (let pageToken = '', pages = 0; pages < 10; pages++) {
    const page = await searchUsers(users.deps, { tenant, query: 'same', pageSize: 2, pageToken })
    found.push(...page.users.map(({ id }) => id))
    pageToken = page.nextPageToken
    if (pageToken === '') break
  }
  assert.deepEqual(found, made.map(({ id }) => id).toSorted())
})

test('a token belongs to its query and tenant', async () => {
  const tenant = 'tokens'
  await users.invite({ tenant, name: 'Same one' })
  await users.invite({ tenant, name: 'Same two' })
  const { nextPageToken: pageToken } = await searchUsers(users.deps, { tenant, query: 'same', pageSize: 1, pageToken: '' })
  await assert.rejects(searchUsers(users.deps, { tenant, query: 'sam', pageSize: 1, pageToken }), PageTokenInvalid)
  await assert.rejects(searchUsers(users.deps, { tenant: 'other', query: 'same', pageSize: 1, pageToken }), PageTokenInvalid)
  assert.ok(!Buffer.from(pageToken, 'base64url').toString().includes('same'))
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
