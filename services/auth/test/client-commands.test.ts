import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { CommandFailed, CommandProblem } from '@gatehouse/cli'
import { readConfig } from '@gatehouse/config'
import { sql } from 'kysely'
import { commands } from '../src/commands.ts'
import { rules, variables } from '../src/config.ts'
import { keysCheck } from '../src/keys-check.ts'
import { pagesCheck } from '../src/pages-check.ts'
import { type Machines, openMachines } from './machines-house.ts'

let house: Machines
let connectionSecret = ''
before(async () => {
  house = await openMachines({ alone: true })
})
after(() => house[Symbol.asyncDispose]())

/** Runs a command in this process; answers what it printed. */
async function gatehouse(name: string, ...args: string[]): Promise<string> {
  return await gatehouseWith({}, name, ...args)
}

/** The same with other variables. */
async function gatehouseWith(variables: Readonly<Record<string, string>>, name: string, ...args: string[]): Promise<string> {
  const command = commands.find((each) => each.name === name) ?? assert.fail(name)
  const lines: string[] = []
  const { write } = process.stdout
  // The test runner reports over standard output too, in bytes.
  process.stdout.write = (chunk: string | Uint8Array, ...rest: never[]) =>
    typeof chunk === 'string' ? lines.push(chunk) > 0 : write.call(process.stdout, chunk, ...rest)
  try {
    await command.run(args, { ...house.story.environment, CONNECTION_SECRET: connectionSecret, ...variables })
  } finally {
    process.stdout.write = write
  }
  return lines.join('')
}

const grafana = {
  name: 'Grafana',
  kind: 'CLIENT_KIND_WEB',
  redirectUris: ['https://grafana.example.com/login/generic_oauth'],
  grantTypes: ['CLIENT_GRANT_TYPE_AUTHORIZATION_CODE', 'CLIENT_GRANT_TYPE_REFRESH_TOKEN'],
  authMethod: 'CLIENT_AUTH_METHOD_CLIENT_SECRET_BASIC',
}

test('the doctor misses a console where somebody would need one', async () => {
  const config = readConfig(variables, house.story.environment, rules)
  const look = async (oidcPages: string) => (await pagesCheck({ ...config, oidcPages })()).map(({ level, what }) => `${level} ${what}`)
  assert.deepEqual(await look('/nowhere'), ['ok there is no client of OpenID Connect, and no console for its pages'])
  await gatehouse('clients create', 'early', JSON.stringify(grafana))
  assert.deepEqual(await look('/nowhere'), ['wrong there is no built console in /nowhere: nobody can sign in to other programs'])
  const folder = await mkdtemp(join(tmpdir(), 'console-'))
  await writeFile(join(folder, 'index.html'), '<html></html>')
  assert.deepEqual(await look(folder), ['ok the console is there, for the pages of OpenID Connect'])
  await rm(folder, { recursive: true })
  await gatehouse('clients delete', 'early')
})

test('a client is made, shown, changed, given another secret, disabled and removed by commands, in the name of the operator', async () => {
  const first = (await gatehouse('clients create', 'grafana', JSON.stringify(grafana))).trim()
  assert.match(first, /^gos_[\w-]{43}$/)
  await assert.rejects(gatehouse('clients create', 'grafana', JSON.stringify(grafana)), CommandFailed)
  assert.match(await gatehouse('clients list'), /^grafana\tenabled\t1 secrets\tGrafana/)
  await gatehouse('clients update', 'grafana', '{"name": "Grafana at work"}')
  const shown = JSON.parse(await gatehouse('clients show', 'grafana'))
  assert.deepEqual([shown.name, shown.redirectUris], ['Grafana at work', grafana.redirectUris])
  const second = (await gatehouse('clients rotate', 'grafana', '--overlap', '1h')).trim()
  assert.notEqual(second, first)
  await assert.rejects(gatehouse('clients rotate', 'grafana', '--overlap', '31d'), CommandProblem)
  await gatehouse('clients disable', 'grafana')
  assert.match(await gatehouse('clients list'), /disabled /)
  await gatehouse('clients enable', 'grafana')
  await gatehouse('clients delete', 'grafana')
  assert.equal(await gatehouse('clients list'), '')
  await assert.rejects(gatehouse('clients show', 'grafana'), CommandFailed)
  const { rows } = await sql<{ actor_kind: string }>`
    select distinct actor_kind from audit_entries where subject_id = 'grafana' and result = 'done'`.execute(house.story.db)
  assert.deepEqual(rows, [{ actor_kind: 'operator' }])
})

test('a client that asks for RS256 has a key made, which is listed, rotated, revoked and told by the doctor like the others', async () => {
  const listed = async () => (await gatehouse('keys list')).match(/^\S+(?=\t.*\tRS256$)/gm) ?? []
  await gatehouse(
    'clients create',
    'old-app',
    JSON.stringify({ ...grafana, options: { claimsInIdToken: true, minStrength: 'STRENGTH_TWO_FACTORS' } }),
  )
  assert.deepEqual(await listed(), [])
  await gatehouse('clients update', 'old-app', '{"options": {"rs256": true}}')
  // What the options were beside it they are, and what is taken back is taken back.
  assert.match(await gatehouse('clients show', 'old-app'), /"claimsInIdToken": *true/)
  await gatehouse('clients update', 'old-app', '{"options": {"claims_in_id_token": false}}')
  const shown = await gatehouse('clients show', 'old-app')
  assert.ok(!shown.includes('claimsInIdToken') && shown.includes('STRENGTH_TWO_FACTORS') && /"rs256": *true/.test(shown), shown)
  const [kid = ''] = await listed()
  await assert.rejects(gatehouse('keys revoke', kid), /only key of default/)
  const next = /^(\S+)\tRS256$/m.exec(await gatehouse('keys rotate'))?.[1] ?? ''
  assert.deepEqual(await listed(), [kid, next])
  assert.match(await gatehouse('keys revoke', kid), new RegExp(`clients refuse its ID tokens .*\n${next} signs`))

  const findings = keysCheck(readConfig(variables, house.story.environment, rules))
  assert.deepEqual(
    (await findings()).map(({ level }) => level),
    ['ok'],
  )
  const old = new Date(Date.now() - 40 * 86_400_000)
  await house.story.db.updateTable('oidc_signing_keys').set({ sign_time: old }).execute()
  assert.match((await findings())[0]?.what ?? '', new RegExp(`^the key ${next} of tenant default has signed since`))
  await house.story.db
    .updateTable('oidc_signing_keys')
    .set({ private_key: Buffer.alloc(64), sign_time: new Date() })
    .execute()
  assert.match(
    (await findings())[0]?.what ?? '',
    new RegExp(`does not open the RS256 key ${next} of tenant default: nobody signs in to clients that asked for RS256 \\(`),
  )
  assert.match(await gatehouse('keys list'), new RegExp(`^${next}\t.*\tRS256\tdoes not open$`, 'm'))
  await gatehouse('clients delete', 'old-app')
})

test('commands take what the door takes', async () => {
  const wrong = [
    'no JSON',
    '{"nobody": "knows this"}',
    '{}',
    JSON.stringify({ ...grafana, redirectUris: ['http://grafana.example.com/'] }),
    JSON.stringify({ ...grafana, authMethod: 'CLIENT_AUTH_METHOD_NONE' }),
  ]
  for (const json of wrong) await assert.rejects(gatehouse('clients create', 'wrong', json), CommandProblem, json)
  await assert.rejects(gatehouse('clients create', 'No Id', JSON.stringify(grafana)), CommandProblem)
  assert.equal(await gatehouse('clients list'), '')
})

test('a resource is registered for clients, once, and none of an audience for which people have tokens themselves', async () => {
  const orders = 'https://orders.example.com'
  await assert.rejects(gatehouse('clients create', 'orders', JSON.stringify({ ...grafana, resources: [orders] })), CommandProblem)
  assert.match(await gatehouse('resources add', orders, '--scopes', 'orders.read,orders.write'), /is registered/)
  await assert.rejects(gatehouse('resources add', orders, '--scopes', 'orders.read'), CommandFailed)
  await gatehouse('audiences add', 'billing')
  for (const audience of ['billing', 'gatehouse'])
    await assert.rejects(gatehouse('resources add', 'https://more.example.com', '--scopes', 'a', '--audience', audience), CommandFailed)
  await assert.rejects(gatehouse('audiences add', orders), CommandFailed)
  await assert.rejects(gatehouse('resources add', 'https://more.example.com', '--scopes', 'a', '--lifetime', '1h'), CommandProblem)
  await gatehouse('clients create', 'orders', JSON.stringify({ ...grafana, resources: [orders] }))
  assert.match(
    await gatehouse('resources list'),
    /^https:\/\/orders\.example\.com\thttps:\/\/orders\.example\.com\torders\.read,orders\.write\t600s/,
  )
  await gatehouse('resources remove', orders)
  await assert.rejects(gatehouse('resources remove', orders), CommandFailed)
  assert.equal(await gatehouse('resources list'), '')
})

test('a client of the conformance suite is made where that is switched on, and nowhere else', async () => {
  const suite = JSON.stringify({ ...grafana, options: { conformance: true } })
  await assert.rejects(gatehouse('clients create', 'suite', suite), CommandProblem)
  const on = { OIDC_CONFORMANCE: '1' }
  assert.match(await gatehouseWith(on, 'clients create', 'suite', suite), /^gos_/)
  await assert.rejects(gatehouse('clients update', 'suite', '{"name": "Suite"}'), CommandProblem)
  await gatehouseWith(on, 'clients update', 'suite', '{"name": "Suite"}')
})

test('a token with which programs register themselves is made and ended, where that is switched on; its hash is all that is kept', async () => {
  await assert.rejects(gatehouse('clients registration-token'), CommandProblem)
  const on = { OIDC_REGISTRATION: 'true' }
  for (const wrong of [['--limit', '0'], ['--limit', '1001'], ['--limit', 'x'], ['--lifetime', '31d'], ['--lifetime', '1s'], ['x']])
    await assert.rejects(gatehouseWith(on, 'clients registration-token', ...wrong), CommandProblem, wrong.join(' '))
  const token = (await gatehouseWith(on, 'clients registration-token', '--limit', '3', '--lifetime', '1h')).trim()
  assert.match(token, /^goi_[\w-]{43}$/)
  const { rows } = await sql<{ payload: string; seconds: number; row: string }>`
    select payload, extract(epoch from expire_time - create_time)::integer as seconds, to_jsonb(r)::text as row
    from oidc_records r where kind = 'InitialAccessToken'`.execute(house.story.db)
  assert.deepEqual(
    rows.map(({ payload, seconds }) => [JSON.parse(payload).left, seconds]),
    [[3, 3600]],
  )
  assert.equal(rows[0]?.row.includes(token), false)
  await gatehouse('clients end-registration-token', token)
  await assert.rejects(gatehouse('clients end-registration-token', token), CommandFailed)
})

test('a connection to a provider is made, shown, changed, disabled and removed by commands, its secret in no word of them', async () => {
  const corp = { name: 'Corp', clientId: 'gatehouse', domains: ['corp.example'], jit: 'CONNECTION_JIT_ON', trustedEmail: true }
  connectionSecret = 'a secret'
  const told = await gatehouse('connections create', 'corp', JSON.stringify(corp), '--issuer', 'https://idp.corp.example')
  assert.equal(told.trim(), 'register with the provider: http://localhost:8080/connections/callback/corp')
  await assert.rejects(gatehouse('connections create', 'corp', JSON.stringify(corp), '--issuer', 'https://other.example'), CommandFailed)
  assert.match(await gatehouse('connections list'), /^corp\thttps:\/\/idp\.corp\.example\tenabled\tcorp\.example\tCorp/)
  await gatehouse('connections update', 'corp', '{"enforce": true}')
  assert.equal(JSON.parse(await gatehouse('connections show', 'corp')).enforce, true)
  await assert.rejects(gatehouse('connections update', 'corp', 'no JSON'), CommandProblem)
  await assert.rejects(gatehouse('connections update', 'nobody', '{}'), CommandFailed)
  await gatehouse('connections disable', 'corp')
  assert.match(await gatehouse('connections list'), /\tdisabled\t/)
  await gatehouse('connections enable', 'corp')
  const anybody = 'https://login.microsoftonline.com/common/v2.0'
  await assert.rejects(gatehouse('connections create', 'entra', JSON.stringify(corp), '--issuer', anybody), CommandProblem)
  await assert.rejects(gatehouse('connections create', 'x', '{"name": "X", "clientId": "c", "enforce": true}'), CommandProblem)
  await gatehouse('connections delete', 'corp')
  assert.equal(await gatehouse('connections list'), '')
})
