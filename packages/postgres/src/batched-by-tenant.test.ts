import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batchedByTenant } from './batched-by-tenant.ts'

type Key = { tenant: string; id: string }

function reader(read: (tenant: string, ids: string[]) => Map<string, string> = (_, ids) => new Map(ids.map((id) => [id, id]))) {
  const sent: string[] = []
  const load = async (tenant: string, keys: readonly Key[]) => {
    const ids = keys.map(({ id }) => id)
    sent.push(`${tenant}: ${ids.join(' ')}`)
    return new Map([...read(tenant, ids)].map(([id, value]) => [id, `${tenant} ${value}`]))
  }
  return { sent, find: batchedByTenant(load, { keyOf: ({ id }) => id }) }
}

test('one turn is one question for each tenant, and equal ids of two tenants stay apart', async () => {
  const { sent, find } = reader()
  const keys = [
    { tenant: 'a', id: '1' },
    { tenant: 'b', id: '1' },
    { tenant: 'a', id: '2' },
    { tenant: 'a', id: '1' },
  ]
  assert.deepEqual(await Promise.all(keys.map((key) => find(key))), ['a 1', 'b 1', 'a 2', 'a 1'])
  assert.deepEqual(sent, ['a: 1 2', 'b: 1'])
})

test('what a tenant does not have is undefined, whatever another has', async () => {
  const { find } = reader((tenant, ids) => new Map(tenant === 'a' ? ids.map((id) => [id, id]) : []))
  assert.deepEqual(await Promise.all([find({ tenant: 'a', id: '1' }), find({ tenant: 'b', id: '1' })]), ['a 1', undefined])
})

test('a failure is everybody’s who asked in that turn, and nobody’s who asks later', async () => {
  let broken = true
  const { find } = reader((_, ids) => {
    if (broken) throw new Error('away')
    return new Map(ids.map((id) => [id, id]))
  })
  const answers = await Promise.allSettled([find({ tenant: 'a', id: '1' }), find({ tenant: 'b', id: '1' })])
  for (const answer of answers) assert.equal(answer.status === 'rejected' && answer.reason.message, 'away')
  broken = false
  assert.equal(await find({ tenant: 'a', id: '1' }), 'a 1')
})
