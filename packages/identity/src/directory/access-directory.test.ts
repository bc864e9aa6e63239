import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { AccessFactSchema } from '@gatehouse/contracts/gatehouse/auth/v1/access_pb'
import { createAccessDirectory, type FedDirectory } from './access-directory.ts'
import { AccessModel } from './access-model.ts'
import { bindingFact, expiring, goneFact, leftFact, memberFact, personOf, roleFact, tenant } from './facts-for-tests.ts'
import { mostConditions } from './principal.ts'

const read = 'user.users.read'
const ada = personOf('ada')

function filled(now: () => number = Date.now): FedDirectory {
  const directory = createAccessDirectory(now)
  directory.replace(new AccessModel())
  directory.heard(Date.now())
  return directory
}

test('what is bound is held, until it is not', () => {
  const directory = filled()
  assert.equal(directory.allows(ada, read), false)
  directory.apply([roleFact('reader', read), bindingFact('1', 'ada', 'reader')])
  assert.equal(directory.allows(ada, read), true)
  assert.equal(directory.allows(ada, 'user.users.delete'), false)
  assert.equal(directory.allows(personOf('bob'), read), false)
  directory.apply([roleFact('reader', 'user.users.delete')])
  assert.deepEqual([directory.allows(ada, read), directory.allows(ada, 'user.users.delete')], [false, true])
  directory.apply([goneFact('bindingGone', '1')])
  assert.equal(directory.allows(ada, 'user.users.delete'), false)
})

test('a role that is no more allows nothing, and again when it is back', () => {
  const directory = filled()
  directory.apply([bindingFact('1', 'ada', 'reader')])
  assert.equal(directory.allows(ada, read), false)
  directory.apply([roleFact('reader', read)])
  assert.equal(directory.allows(ada, read), true)
  directory.apply([goneFact('roleGone', 'reader')])
  assert.equal(directory.allows(ada, read), false)
})

test('a group gives to whoever is in it', () => {
  const directory = filled()
  directory.apply([roleFact('reader', read), memberFact('group-1', 'ada'), bindingFact('1', 'group-1', 'reader')])
  assert.equal(directory.allows(ada, read), true)
  directory.apply([leftFact('group-1', 'ada')])
  assert.equal(directory.allows(ada, read), false)
  directory.apply([memberFact('group-1', 'ada'), goneFact('bindingGone', '1')])
  assert.equal(directory.allows(ada, read), false)
})

test('the administrator has permissions that nobody has heard of, and roles of the product are those of every tenant', () => {
  const directory = filled()
  const support = create(AccessFactSchema, { fact: { case: 'role', value: { name: 'support', permissions: [read] } } })
  directory.apply([bindingFact('1', 'ada', 'administrator'), bindingFact('2', 'bob', 'support'), support])
  assert.equal(directory.allows(ada, 'billing.invoices.burn'), true)
  assert.deepEqual([directory.allows(personOf('bob'), read), directory.allows(personOf('bob'), 'x')], [true, false])
})

test('a binding on a resource holds there only', () => {
  const directory = filled()
  directory.apply([roleFact('reader', read), bindingFact('1', 'ada', 'reader', { resource: 'user/7' })])
  assert.equal(directory.allows(ada, read), false)
  assert.equal(directory.allowsSome(ada, read), true)
  assert.equal(directory.allowsSome(ada, 'user.users.delete'), false)
  assert.equal(directory.allows(ada, read, { name: 'user/7', owner: '' }), true)
  assert.equal(directory.allows(ada, read, { name: 'user/71', owner: '' }), false)
})

test('a binding ends at its time', () => {
  let now = 1_000
  const directory = filled(() => now)
  directory.apply([roleFact('reader', read), bindingFact('1', 'ada', 'reader', expiring(2_000))])
  assert.equal(directory.allows(ada, read), true)
  now = 1_999
  assert.equal(directory.allows(ada, read), true)
  now = 2_000
  assert.equal(directory.allows(ada, read), false)
})

test('a condition is asked each time; one that fails, or that this release cannot read, is no', () => {
  const directory = filled()
  const condition = 'resource.owner == principal.id'
  directory.apply([roleFact('reader', read), bindingFact('1', 'ada', 'reader', { condition })])
  assert.equal(directory.allows(ada, read, { name: 'user/7', owner: 'ada' }), true)
  assert.equal(directory.allows(ada, read, { name: 'user/7', owner: 'bob' }), false)
  assert.equal(directory.allows(ada, read), false)
  directory.apply([bindingFact('1', 'ada', 'reader', { condition: 'principal.shoeSize > 40' })])
  assert.equal(directory.allows(ada, read, { name: 'user/7', owner: 'ada' }), false)
})

test('a decision evaluates a bounded number of conditions', () => {
  const directory = filled()
  const never = Array.from({ length: mostConditions }, (_, n) =>
    bindingFact(`n${n}`, 'ada', 'reader', { condition: `principal.id == "${n}"` }),
  )
  directory.apply([roleFact('reader', read), ...never, bindingFact('late', 'ada', 'reader', { condition: 'principal.id == "ada"' })])
  assert.equal(directory.allows(ada, read), false)
  const explained = directory.model.principal({ tenant, id: 'ada' })?.explain({ permission: read, resource: undefined, now: 0 })
  assert.equal(explained?.at(-1)?.verdict, 'not_looked_at')
  directory.apply([goneFact('bindingGone', 'n0')])
  assert.equal(directory.allows(ada, read), true)
})

test('tenants are apart', () => {
  const directory = filled()
  directory.apply([roleFact('reader', read), bindingFact('1', 'ada', 'reader')])
  assert.equal(directory.allows(personOf('ada', { tenant: 'acme' }), read), false)
})

test('the claim decides while nobody has told anything, or not for long', () => {
  const claiming = personOf('ada', { permissions: new Set([read]) })
  const empty = createAccessDirectory()
  assert.equal(empty.fresh, false)
  assert.deepEqual([empty.allows(claiming, read), empty.allows(ada, read)], [true, false])

  let elapsed = 0
  const directory = createAccessDirectory(Date.now, () => elapsed)
  directory.replace(new AccessModel())
  directory.heard(Date.now())
  elapsed = 9_999
  assert.equal(directory.allows(claiming, read), false)
  elapsed = 10_000
  assert.equal(directory.fresh, false)
  assert.equal(directory.allows(claiming, read), true)
})

test('a token that was made after the last word knows better, until the next; one from the future does not', () => {
  const directory = createAccessDirectory()
  directory.replace(new AccessModel())
  const heard = Date.now() - 500
  directory.heard(heard)
  const made = (permissionsTime: number) => personOf('ada', { permissions: new Set([read]), permissionsTime })
  assert.equal(directory.allows(made(heard + 1), read), true)
  assert.equal(directory.allows(made(heard - 1), read), false)
  assert.equal(directory.allows(made(Date.now() + 3_600_000), read), false)
  directory.heard(heard + 2)
  assert.equal(directory.allows(made(heard + 1), read), false)
})

test('scopes narrow whatever is bound or claimed', () => {
  const directory = filled()
  directory.apply([bindingFact('1', 'ada', 'administrator')])
  const scoped = personOf('ada', { scopes: new Set([read]), permissions: new Set([read, 'user.users.delete']) })
  assert.deepEqual([directory.allows(scoped, read), directory.allows(scoped, 'user.users.delete')], [true, false])
  assert.equal(createAccessDirectory().allows(scoped, 'user.users.delete'), false)
})

test('whoever listens is told of the tenant in which something changed', () => {
  const directory = filled()
  const told: string[] = []
  const stop = directory.onChange((each) => told.push(each))
  directory.apply([bindingFact('1', 'ada', 'administrator')])
  directory.apply([])
  stop()
  directory.apply([goneFact('bindingGone', '1')])
  assert.deepEqual(told, [tenant])
})
