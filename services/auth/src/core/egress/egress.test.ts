import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type LoopbackServer, loopbackServer } from '../../../test/loopback-server.ts'
import { createEgress, EgressFailed } from './egress.ts'
import { isPublicAddress } from './public-address.ts'

let server: LoopbackServer
before(async () => {
  server = await loopbackServer(async ({ url }) => {
    if (url.pathname === '/slow') await new Promise((resolve) => setTimeout(resolve, 2_000))
    if (url.pathname === '/elsewhere') return { location: new URL('http://169.254.169.254/latest') }
    return url.pathname === '/large' ? { text: 'x'.repeat(5_000) } : { json: { here: true } }
  })
})
after(() => server[Symbol.asyncDispose]())

test('what is in our own network is not asked, by whatever name, unless it is named', async () => {
  const egress = createEgress()
  for (const url of [
    'https://127.0.0.1/',
    'https://localhost/',
    'https://[::1]/',
    'https://169.254.169.254/latest/meta-data',
    'https://10.0.0.1/',
    'https://[::ffff:127.0.0.1]/',
    'https://2130706433/',
    'https://127.1/',
    'https://LOCALHOST/',
    'https://[fd00::1]/',
    'http://example.com/',
    `${server.origin}/`,
  ])
    await assert.rejects(egress(url), EgressFailed, url)
  const named = createEgress({ allow: [server.host] })
  assert.deepEqual(await (await named(`${server.origin}/`)).json(), { here: true })
  assert.equal((await createEgress({ allow: [new URL(server.origin).hostname] })(`${server.origin}/`)).status, 200)
  await assert.rejects(named('https://127.0.0.1:1/'), EgressFailed)
  await assert.rejects(named(server.origin.replace('//', '//ada:secret@')), /with a user in its address/)
  await assert.rejects(named('file:///etc/passwd'), EgressFailed)
})

test('an answer is bounded in its size and its time, and no redirect is followed', async () => {
  const egress = createEgress({ allow: [server.host], maxBytes: 1_000, timeoutMs: 200 })
  await assert.rejects(egress(`${server.origin}/large`), /more than 1000 bytes/)
  await assert.rejects(egress(`${server.origin}/slow`), EgressFailed)
  assert.equal((await egress(`${server.origin}/elsewhere`)).status, 302)
})

test('addresses of the public internet are told from the others', () => {
  for (const address of ['8.8.8.8', '172.32.0.1', '2606:4700::1111']) assert.equal(isPublicAddress(address), true, address)
  for (const address of [
    '100.64.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '0.0.0.0',
    'fe80::1',
    'fd00::1',
    '::',
    '2001:db8::1',
    '2002:7f00:1::',
    '64:ff9b::7f00:1',
  ])
    assert.equal(isPublicAddress(address), false, address)
})
