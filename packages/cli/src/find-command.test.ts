import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findCommands, likeThese, type Owned, usage } from './find-command.ts'
import { CommandProblem } from './index.ts'

const command = (service: string, name: string, forEach = false): Owned => ({
  service,
  command: { name, summary: `does ${name}`, forEach, run: () => Promise.resolve() },
})
const creates = command('auth', 'tenants create')
const all = [
  command('auth', 'migrate'),
  command('user', 'migrate'),
  { ...creates, command: { ...creates.command, usage: 'ID --origin URL' } },
  command('auth', 'tenants list'),
]
const one = (...words: string[]) => {
  const [called, ...more] = findCommands(all, words)
  assert.equal(more.length, 0)
  return called
}

test('a command is found by its words, and the rest is its arguments', () => {
  const called = one('tenants', 'create', 'acme', '--origin', 'x')
  assert.equal(called?.command, all[2]?.command)
  assert.deepEqual(called?.args, ['acme', '--origin', 'x'])
})

test('a command that several services have takes the name of one', () => {
  const called = one('migrate', 'user')
  assert.equal(called?.command, all[1]?.command)
  assert.deepEqual(called?.args, [])
  assert.throws(() => findCommands(all, ['migrate']), /Of which service\? gatehouse migrate auth \| user/)
  assert.equal(findCommands(all.slice(0, 1), ['migrate'])[0]?.command, all[0]?.command)
})

test('a service that has no such command is told which have it', () => {
  const letters = ['auth', 'notification'].map((service) => command(service, 'dead-letters list'))
  assert.throws(() => findCommands([...all, ...letters], ['dead-letters', 'list', 'user']), {
    name: 'CommandProblem',
    message: 'user has no such command. gatehouse dead-letters list auth | notification',
  })
  // A tenant may have the name of a service.
  assert.deepEqual(one('tenants', 'create', 'user', '--origin', 'x')?.args, ['user', '--origin', 'x'])
})

test('what is given a name may be named like the service whose command it is', () => {
  const keys: Owned[] = [{ service: 'auth', command: { ...creates.command, name: 'workload-keys create', usage: 'NAME --jwks FILE' } }]
  const argsOf = (...words: string[]) => findCommands(keys, ['workload-keys', 'create', ...words])[0]?.args
  assert.deepEqual(argsOf('auth', '--jwks', 'x'), ['auth', '--jwks', 'x'])
  assert.deepEqual(argsOf('auth', 'user', '--jwks', 'x'), ['user', '--jwks', 'x'])
  // In the image of a service its commands are the only ones, and may be called with its name all the same.
  assert.deepEqual(findCommands(all.slice(0, 1), ['migrate', 'auth'])[0]?.args, [])
})

test('a command that looks at everybody does so unless one is named', () => {
  const doctors = [command('auth', 'doctor', true), command('user', 'doctor', true)]
  const of = (...words: string[]) => findCommands(doctors, words).map(({ service }) => service)
  assert.deepEqual(of('doctor'), ['auth', 'user'])
  assert.deepEqual(of('doctor', 'user'), ['user'])
  assert.match(usage(doctors), /gatehouse doctor \[auth\|user\] {2}/)
})

test('a word or a flag that a command does not have is said so, and nothing is done', () => {
  const doctors = [command('auth', 'doctor', true), command('user', 'doctor', true)]
  assert.throws(
    () => findCommands(doctors, ['doctor', 'usr']),
    /What is "usr"\? gatehouse doctor takes auth \| user, or nothing for all of them\./,
  )
  assert.throws(() => findCommands(doctors, ['doctor', 'user', 'again']), /What is "again"\?/)
  assert.throws(() => one('migrate', 'user', '--dry-run'), CommandProblem)
  assert.throws(
    () => one('tenants', 'create', 'acme', '--orgin=x'),
    /What is "--orgin=x"\? gatehouse tenants create takes ID --origin URL\./,
  )
  assert.deepEqual(one('tenants', 'create', 'acme', '--origin=x')?.args, ['acme', '--origin=x'])
})

test('what is no command is said so, and what there is in its place', () => {
  assert.throws(() => findCommands(all, ['tenants']), { message: 'There is no command "tenants": there are tenants create, tenants list.' })
  assert.throws(() => findCommands(all, ['tenants', 'drop']), /no command "tenants drop": there are tenants create, tenants list\./)
  assert.throws(() => findCommands(all, ['tenant']), { message: 'There is no command "tenant": gatehouse --help lists them.' })
  assert.throws(() => findCommands(all, ['backup']), /docs\/operations\.md, "Backing up" and "Restoring"/)
  assert.throws(() => findCommands(all, []), CommandProblem)
  assert.match(usage(all), /gatehouse migrate auth\|user {2}/)
})

test('help about a word is about the commands that begin with it', () => {
  const names = (...words: string[]) => likeThese(all, words).map(({ service, command: { name } }) => `${service} ${name}`)
  assert.deepEqual(names('tenants'), ['auth tenants create', 'auth tenants list'])
  assert.deepEqual(names('tenants', 'create', 'acme'), ['auth tenants create'])
  assert.deepEqual(names('migrate', 'user'), ['auth migrate', 'user migrate'])
  assert.equal(names('teants').length, all.length)
  assert.equal(names().length, all.length)
})
