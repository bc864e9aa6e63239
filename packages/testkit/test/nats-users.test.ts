import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventServices, eventSources } from '@gatehouse/events/nats-rights'
import { natsUsersFile } from '../src/nats-users-file.ts'

const root = join(import.meta.dirname, '../../..')

test('deploy/nats/users.conf is what the rights in code say', () => {
  assert.equal(readFileSync(join(root, 'deploy/nats/users.conf'), 'utf8'), natsUsersFile())
  assert.notEqual(natsUsersFile(['orders']), natsUsersFile())
})

test('services take events from those whose streams they may read, and from nobody else', () => {
  for (const service of eventServices) {
    const folder = join(root, 'services', service, 'src/consumers')
    const files = existsSync(folder) ? readdirSync(folder).filter((file) => !file.endsWith('.test.ts')) : []
    const source = files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n')
    const taken = [...source.matchAll(/contracts\/gatehouse\/(\w+)\/v1\/events_pb/g)].map(([, from]) => from)
    assert.deepEqual([...new Set(taken)].sort(), [...eventSources[service]].sort(), service)
  }
  assert.ok(eventServices.some((service) => eventSources[service].length > 0))
})

test('a subscriber is named so that it can stand in subjects, and as nobody who is there', () => {
  for (const name of ['auth', 'operator', 'Billing', 'a.b', 'a>', 'x y', '*']) assert.throws(() => natsUsersFile([name]), TypeError, name)
  assert.match(natsUsersFile(['billing-2']), /user: billing-2, password: \$password_of_billing_2,/)
})
