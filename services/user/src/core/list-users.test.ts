import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { encodePageToken, PageTokenInvalid } from '@gatehouse/postgres'
import { sql } from 'kysely'
import { openUsers } from '../../test/open-users.ts'
import { deleteUser } from './delete-user.ts'
import { listUsers } from './list-users.ts'
import type { Page } from './page.ts'

const users = await openUsers()
after(() => users[Symbol.asyncDispose]())

async function walk(load: (pageToken: string) => Promise<Page>): Promise<string[]> {
  const ids: string[] = []
  for (let pageToken = ''; ; ) {
    const page = await load(pageToken)
    ids.push(...page.users.map(({ id }) => id))
    if (page.nextPageToken === '') return ids
    pageToken = page.nextPageToken
  }
}

test('walks everybody once in the order of creation, both ways', async () => {
  const tenant = 'walk'
  const made = await Promise.all(Array.from({ length: 23 }, () => users.invite({ tenant })))
  // Some share their millisecond.
  await sql`update users set create_time = date_trunc('second', create_time) where tenant = ${tenant} and id = any(${made.slice(0, 9).map(({ id }) => id)})`.execute(
    users.deps.db,
  )
  const { users: all, nextPageToken } = await listUsers(users.deps, { tenant, newestFirst: false, pageSize: 23, pageToken: '' })
  assert.equal(nextPageToken, '')
  const inOrder = all
    .toSorted((one, other) => one.create_time.getTime() - other.create_time.getTime() || (one.id < other.id ? -1 : 1))
    .map(({ id }) => id)
  for (const pageSize of [1, 4, 22, 23, 24]) {
    assert.deepEqual(await walk((pageToken) => listUsers(users.deps, { tenant, newestFirst: false, pageSize, pageToken })), inOrder)
    assert.deepEqual(
      await walk((pageToken) => listUsers(users.deps, { tenant, newestFirst: true, pageSize, pageToken })),
      inOrder.toReversed(),
    )
  }
})

test('a page holds fifty unless asked otherwise', async () => {
  await Promise.all(Array.from({ length: 51 }, () => users.invite({ tenant: 'many' })))
  const page = await listUsers(users.deps, { tenant: 'many', newestFirst: false, pageSize: 0, pageToken: '' })
  assert.equal(page.users.length, 50)
  assert.notEqual(page.nextPageToken, '')
})

test('the largest page holds a thousand, and another follows', async () => {
  await sql`insert into users (tenant, id, state, email, email_key, email_verified, name, name_key, locale)
    select 'thousands', uuidv7(), 'active', n || '@example.com', n || '@example.com', true, 'Somebody', 'somebody', 'en'
    from generate_series(1, 1002) as n`.execute(users.deps.db)
  const list = { tenant: 'thousands', newestFirst: false, pageSize: 1000 }
  const first = await listUsers(users.deps, { ...list, pageToken: '' })
  assert.equal(first.users.length, 1000)
  const second = await listUsers(users.deps, { ...list, pageToken: first.nextPageToken })
  assert.deepEqual([second.users.length, second.nextPageToken], [2, ''])
})

test('leaves out the deleted and other tenants', async () => {
  const stays = await users.invite({ tenant: 'some' })
  await deleteUser(users.deps, await users.invite({ tenant: 'some' }))
  await users.invite({ tenant: 'others' })
  assert.deepEqual(await walk((pageToken) => listUsers(users.deps, { tenant: 'some', newestFirst: false, pageSize: 1, pageToken })), [
    stays.id,
  ])
})

test('somebody who comes or goes during the walk shifts nobody else', async () => {
  const tenant = 'shift'
  const made = []
  for (let count = 0; count < 6; count++) made.push(await users.invite({ tenant }))
  const first = await listUsers(users.deps, { tenant, newestFirst: false, pageSize: 3, pageToken: '' })
  await deleteUser(users.deps, made[0] ?? assert.fail())
  const late = await users.invite({ tenant })
  const rest = await walk((pageToken) =>
    listUsers(users.deps, { tenant, newestFirst: false, pageSize: 3, pageToken: pageToken || first.nextPageToken }),
  )
  assert.deepEqual(rest, [...made.slice(3).map(({ id }) => id), late.id])
})

test('refuses a token of another tenant, order or make', async () => {
  await Promise.all([users.invite({ tenant: 'token' }), users.invite({ tenant: 'token' })])
  const { nextPageToken } = await listUsers(users.deps, { tenant: 'token', newestFirst: false, pageSize: 1, pageToken: '' })
  const scope = JSON.stringify(['ListUsers', 'token', 'false'])
  const made = [
    ['x', 'y'],
    [new Date().toISOString(), "' or true"],
    ['2026-13-01T00:00:00.000Z', '01890000-0000-7000-8000-000000000000'],
    [],
    ['a'],
  ]
  for (const wrong of [
    { tenant: 'default', newestFirst: false, pageToken: nextPageToken },
    { tenant: 'token', newestFirst: true, pageToken: nextPageToken },
    ...['x', `${nextPageToken}AAAA`, nextPageToken.slice(1), ...made.map((key) => encodePageToken(scope, key))].map((pageToken) => ({
      tenant: 'token',
      newestFirst: false,
      pageToken,
    })),
  ]) {
    await assert.rejects(listUsers(users.deps, { pageSize: 1, ...wrong }), PageTokenInvalid, JSON.stringify(wrong))
  }
})
