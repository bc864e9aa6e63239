import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { v7 as uuidv7 } from 'uuid'
import { openUsers } from '../../test/open-users.ts'
import { batchGetUsers } from './batch-get-users.ts'
import { getUser } from './get-user.ts'
import { updateUser } from './update-user.ts'

const users = await openUsers()
after(() => users[Symbol.asyncDispose]())

test('answers in the order requested and lists the missing apart', async () => {
  const [one, two] = [await users.register(), await users.register()]
  const foreign = await users.register({ tenant: 'acme' })
  const nobody = uuidv7()
  const found = await batchGetUsers(users.deps, { tenant: 'default', ids: [two.id, nobody, one.id.toUpperCase(), foreign.id, one.id] })
  assert.deepEqual(found, { users: [two, one, one], missingIds: [nobody, foreign.id] })
})

test('reads in one turn, across tenants, answer each their own', async () => {
  const here = await Promise.all(Array.from({ length: 10 }, () => users.register()))
  const twins = await Promise.all(here.map(({ id }) => users.register({ id, tenant: 'twins', name: 'Twin' })))
  const read = await Promise.all([...here, ...twins].map(({ tenant, id }) => getUser(users.deps, { tenant, id: id.toUpperCase() })))
  assert.deepEqual(read, [...here, ...twins])
})

test('a read that begins after a write sees it, whatever else is under way', async () => {
  const user = await users.register()
  for (let count = 0; count < 50; count++) {
    const early = getUser(users.deps, user)
    const { name } = await updateUser(users.deps, { tenant: user.tenant, id: user.id, etag: '', name: `Name ${count}` })
    assert.equal((await getUser(users.deps, user)).name, name)
    await early
  }
})

test('nobody of another tenant is read', async () => {
  const user = await users.register()
  await assert.rejects(getUser(users.deps, { tenant: 'acme', id: user.id }), { reason: 'USER_NOT_FOUND' })
})
