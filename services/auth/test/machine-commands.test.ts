import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { CommandFailed, CommandProblem } from '@gatehouse/cli'
import { apiKeyPattern } from '@gatehouse/identity'
import { commands } from '../src/commands.ts'
import { type Machines, openMachines, tryGrpc, tryWeb } from './machines-house.ts'
import { until } from './until.ts'

let house: Machines
before(async () => {
  house = await openMachines()
})
after(() => house[Symbol.asyncDispose]())

/** Runs a command in this process; answers what it printed. */
async function gatehouse(name: string, ...args: string[]): Promise<string> {
  const command = commands.find((each) => each.name === name) ?? assert.fail(name)
  const lines: string[] = []
  const { write } = process.stdout
  // The test runner reports over standard output too, in bytes.
  process.stdout.write = (chunk: string | Uint8Array, ...rest: never[]) =>
    typeof chunk === 'string' ? lines.push(chunk) > 0 : write.call(process.stdout, chunk, ...rest)
  try {
    await command.run(args, { ...house.story.environment })
  } finally {
    process.stdout.write = write
  }
  return lines.join('')
}

test('an account and its keys are made, listed, rotated, revoked and taken away by commands', async () => {
  const { story, replicas } = house
  assert.match(
    await gatehouse('service-accounts create', 'importer', '--role', 'administrator', '--description', 'brings people in'),
    /is importer/,
  )
  await assert.rejects(gatehouse('service-accounts create', 'importer'), CommandFailed)
  const key = (
    await gatehouse('api-keys create', 'importer', '--scopes', 'auth.service_accounts.read', '--limit', '600/1m', '--lifetime', '30d')
  ).trim()
  assert.match(key, apiKeyPattern)
  // The replicas hear of the role with their next look.
  await until(async () => (await tryWeb(replicas[0], key)) === 'ok' && (await tryWeb(replicas[1], key)) === 'ok', 1_500)
  const listed = await gatehouse('api-keys list', 'importer')
  const [id = ''] = listed.split('\t')
  assert.ok(!listed.includes(key.slice(31)))
  const next = (await gatehouse('api-keys rotate', id, '--overlap', '1h')).trim()
  assert.deepEqual([await tryWeb(replicas[0], key), await tryWeb(replicas[0], next)], ['ok', 'ok'])
  assert.match(await gatehouse('api-keys revoke', id), /has ended/)
  await until(async () => (await tryGrpc(story, replicas[0], key)) === 'ACCESS_TOKEN_INVALID', 1_500)
  assert.equal(await tryWeb(replicas[0], next), 'ok')
  assert.match(await gatehouse('service-accounts disable', 'importer'), /is disabled/)
  assert.match(await gatehouse('service-accounts list'), /importer\tdisabled .*\tbrings people in/)
  await until(async () => (await tryWeb(replicas[0], next)) === 'ACCESS_TOKEN_INVALID', 1_500)
  await gatehouse('service-accounts enable', 'importer')
  await gatehouse('service-accounts delete', 'importer')
  await assert.rejects(gatehouse('api-keys list', 'importer'), CommandFailed)
})

test('a workload is registered, listed and forgotten by commands', async () => {
  assert.match(await gatehouse('workloads register', 'shop', '--calls', 'gatehouse.user.v1.UserService/GetUser'), /is registered/)
  assert.match(await gatehouse('workloads list'), /^shop\tgatehouse-workload\tshop\t-\tgatehouse\.user\.v1\.UserService\/GetUser$/m)
  const cluster = ['--issuer', 'https://cluster', '--subject', 'system:serviceaccount:a:b', '--audience', 'gatehouse']
  await gatehouse('workloads register', 'orders', '--calls', 'gatehouse.user.v1.UserService', ...cluster)
  assert.match(await gatehouse('workloads list'), /^orders\thttps:\/\/cluster\tsystem:serviceaccount:a:b\tgatehouse\t/m)
  await gatehouse('workloads unregister', 'shop')
  await assert.rejects(gatehouse('workloads unregister', 'shop'), CommandFailed)
})

test('words that say nothing sensible are told so', async () => {
  for (const [name, ...args] of [
    ['service-accounts create', 'No Name'],
    ['service-accounts create', 'x', '--role', 'emperor'],
    ['api-keys create', 'x'],
    ['api-keys create', 'x', '--scopes', 'user.users.read', '--limit', 'often'],
    ['api-keys create', 'x', '--scopes', 'user.users.read', '--lifetime', 'long'],
    ['api-keys revoke', 'gh_live_something'],
    ['workloads register', 'auth', '--calls', 'gatehouse.user.v1.UserService'],
    ['workloads register', 'x'],
    ['workloads register', 'x', '--calls', 'gatehouse.user.v1.UserService', '--issuer', 'https://cluster'],
  ] as const)
    await assert.rejects(gatehouse(name, ...args), CommandProblem, `${name} ${args.join(' ')}`)
})
