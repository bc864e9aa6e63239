import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LimitCharge, LimitStore } from '@gatehouse/rpc'
import { secondsToWait } from './limits.ts'
import { routePath } from './tenant-request.ts'

const counted: LimitCharge[] = []
const limits: LimitStore = {
  async take(charges) {
    counted.push(...charges)
    return { allowed: false, retryAfterSeconds: 7, index: 0 }
  },
}
const wait = (method: string, below: string, source = '192.0.2.1') => secondsToWait({ limits }, { method, path: routePath(below), source })

test('what a stranger can have written, or guess at, is counted', async () => {
  for (const [method, below] of [
    ['GET', '/auth?client_id=x'],
    ['HEAD', '/auth'],
    ['GET', '/AUTH'],
    ['GET', '/session/end'],
    ['GET', '/device'],
    ['POST', '/device'],
    ['POST', '/Device/Auth'],
    ['POST', '/request'],
    ['POST', '/reg'],
  ] as const)
    assert.equal(await wait(method, below), 7, `${method} ${below}`)
})

test('whoever has to authenticate first, or only reads, is not', async () => {
  for (const [method, below] of [
    ['POST', '/token'],
    ['GET', '/userinfo'],
    ['GET', '/.well-known/openid-configuration'],
    ['GET', '/session/end/success'],
  ] as const)
    assert.equal(await wait(method, below), undefined, `${method} ${below}`)
})

test('a network counts as one source, for each route by itself', async () => {
  counted.length = 0
  await wait('GET', '/auth', '2001:db8::1')
  await wait('GET', '/auth', '2001:db8::2')
  await wait('POST', '/device', '2001:db8::1')
  assert.equal(counted[0]?.key, counted[1]?.key)
  assert.notEqual(counted[0]?.key, counted[2]?.key)
})
