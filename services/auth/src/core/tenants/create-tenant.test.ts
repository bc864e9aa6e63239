import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type OpenedDeps, openDeps } from '../../../test/open-deps.ts'
import { createTenant, ensureDefaultTenant, TenantRefused } from './create-tenant.ts'
import { listIssuers } from './list-issuers.ts'

let opened: OpenedDeps
before(async () => {
  opened = await openDeps()
})
after(async () => opened[Symbol.asyncDispose]())

const issuerOf = async (tenant: string) => (await listIssuers(opened.deps)).find((each) => each.tenant === tenant)

test('a tenant has an origin, a host and keys', async () => {
  await createTenant(opened.deps, { id: 'acme', origin: 'https://id.acme.example' })
  const acme = await issuerOf('acme')
  assert.equal(acme?.origin, 'https://id.acme.example')
  assert.deepEqual(acme?.hosts, ['id.acme.example'])
  assert.equal(acme?.jwks.length, 1)
})

test('the same tenant again changes nothing, at another origin it is refused', async () => {
  const input = { id: 'again', origin: 'https://again.example' }
  await createTenant(opened.deps, input)
  const before = await issuerOf('again')
  await createTenant(opened.deps, input)
  assert.deepEqual(await issuerOf('again'), before)
  await assert.rejects(createTenant(opened.deps, { ...input, origin: 'https://other.example' }), TenantRefused)
})

test('a host belongs to one tenant', async () => {
  await createTenant(opened.deps, { id: 'first', origin: 'https://shared.example' })
  await assert.rejects(createTenant(opened.deps, { id: 'second', origin: 'https://shared.example' }), TenantRefused)
  await assert.rejects(createTenant(opened.deps, { id: 'second', origin: 'http://localhost:8080' }), TenantRefused)
  assert.equal(await issuerOf('second'), undefined)
})

test('what is no id or no origin is refused', async () => {
  for (const id of ['', 'UPPER', 'a.b', '-a', 'a'.repeat(64), 'a b'])
    await assert.rejects(createTenant(opened.deps, { id, origin: 'https://x.example' }), TenantRefused, id)
  for (const origin of ['', 'x.example', 'https://x.example/', 'https://x.example/y', 'HTTPS://X.example'])
    await assert.rejects(createTenant(opened.deps, { id: 'x', origin }), TenantRefused, origin)
})

test('the default tenant follows the configuration and answers to loopback addresses', async () => {
  assert.deepEqual((await issuerOf('default'))?.hosts, ['127.0.0.1:8080', '[::1]:8080', 'localhost:8080'])
  const keys = (await issuerOf('default'))?.jwks
  await ensureDefaultTenant(opened.deps, 'https://moved.example')
  const moved = await issuerOf('default')
  assert.deepEqual(moved?.hosts, ['moved.example'])
  assert.deepEqual(moved?.jwks, keys)
})
