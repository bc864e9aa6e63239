import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Code, ConnectError } from '@connectrpc/connect'
import { v7 as uuidv7 } from 'uuid'
import { createPeers } from '../../../test/peers.ts'
import { createFindReader } from './find-reader.ts'

const people = (tenant: string, count: number) => {
  const ids = Array.from({ length: count }, () => uuidv7())
  return ids.map((id) => ({ tenant, id, key: `${tenant} ${id}` }))
}

test('readers who are asked for at one moment are one question for each tenant', async () => {
  const peers = createPeers()
  const findReader = createFindReader(peers)
  const readers = [...people('default', 20), ...people('acme', 10)]
  for (const { id, key } of readers) peers.people.set(key, { id, email: `${id}@example.com` })
  const found = await Promise.all(readers.map(findReader))
  assert.deepEqual(
    found.map((user) => user?.id),
    readers.map(({ id }) => id),
  )
  assert.deepEqual(
    peers.asked.map((ids) => ids.length),
    [20, 10],
  )
})

test('whom nobody knows is nobody, and the next question is asked anew', async () => {
  const peers = createPeers()
  const findReader = createFindReader(peers)
  const id = uuidv7()
  assert.equal(await findReader({ tenant: 'default', id }), undefined)
  peers.people.set(`default ${id}`, { id })
  assert.equal((await findReader({ tenant: 'default', id }))?.id, id)
})

test('a tenant whose question fails fails alone', async () => {
  const peers = createPeers()
  const [here, there] = [...people('default', 1), ...people('acme', 1)]
  assert.ok(here && there)
  peers.people.set(here.key, { id: here.id })
  let calls = 0
  const users: typeof peers.users = {
    ...peers.users,
    batchGetUsers: (request, options) =>
      ++calls === 2 ? Promise.reject(new ConnectError('nobody listens', Code.Unavailable)) : peers.users.batchGetUsers(request, options),
  }
  const findReader = createFindReader({ users })
  const [ours, theirs] = await Promise.allSettled([findReader(here), findReader(there)])
  assert.equal(ours.status === 'fulfilled' && ours.value?.id, here.id)
  assert.equal(theirs.status, 'rejected')
})
