import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { linesOf } from './crowd.ts'
import { importPeople } from './import-people.ts'
import { together } from './together.ts'

test('what is done together is answered in its order', async () => {
  assert.deepEqual(await together([async () => 'a', async () => 'b']), ['a', 'b'])
})

test('an import whose neighbour fails is ended with it', async () => {
  // A database that never answers: an import that is left alone waits for it.
  await using server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const url = `postgres://somebody@127.0.0.1:${typeof address === 'object' ? address?.port : 0}/people`
  const failure = new Error('the neighbour fails')
  const left = Promise.withResolvers<void>()
  const neighbour = once(server, 'connection').then(([socket]) => {
    socket.on('error', () => undefined).on('close', () => left.resolve())
    socket.resume()
    throw failure
  })
  const loading = together([
    (signal) => importPeople({ DATABASE_URL: url, GATEHOUSE_MODE: 'test' }, linesOf(0, 10), signal),
    () => neighbour,
  ])
  await assert.rejects(loading, failure)
  await left.promise
})
