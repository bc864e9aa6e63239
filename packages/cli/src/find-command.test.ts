import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findCommand, type Owned, usage } from './find-command.ts'
import { CommandProblem } from './index.ts'

const command = (service: string, name: string): Owned => ({
  service,
  command: { name, summary: `does ${name}`, run: () => Promise.resolve() },
})
const all = [command('auth', 'migrate'), command('user', 'migrate'), command('auth', 'tenants create'), command('auth', 'tenants list')]

test('a command is found by its words, and the rest is its arguments', () => {
  const { command, args } = findCommand(all, ['tenants', 'create', 'acme', '--origin', 'x'])
  assert.equal(command, all[2]?.command)
  assert.deepEqual(args, ['acme', '--origin', 'x'])
})

test('a command that several services have takes the name of one', () => {
  const { command, args } = findCommand(all, ['migrate', 'user'])
  assert.equal(command, all[1]?.command)
  assert.deepEqual(args, [])
  assert.throws(() => findCommand(all, ['migrate']), /Of which service\? gatehouse migrate auth \| user/)
  assert.equal(findCommand(all.slice(0, 1), ['migrate']).command, all[0]?.command)
})

test('what is no command is said so', () => {
  assert.throws(() => findCommand(all, ['tenants']), CommandProblem)
  assert.throws(() => findCommand(all, []), CommandProblem)
  assert.match(usage(all), /gatehouse migrate auth\|user {2}/)
})
