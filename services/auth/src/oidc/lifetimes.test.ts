import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Client, KoaContextWithOIDC, RefreshToken } from 'oidc-provider'
import { lifetimesOf } from './lifetimes.ts'

const day = 86_400
const { RefreshToken: seconds } = lifetimesOf({ offline: { absoluteSeconds: 60 * day, idleSeconds: 30 * day } })

function lifetime(pastSeconds: number, expiresWithSession = false): number {
  assert.ok(typeof seconds === 'function')
  const token = { expiresWithSession, totalLifetime: () => pastSeconds } as RefreshToken
  return seconds({} as KoaContextWithOIDC, token, {} as Client)
}

test('a refresh token that outlives the session may be unused for so long, and all that follow from it end together', () => {
  assert.equal(lifetime(0), 30 * day)
  assert.equal(lifetime(30 * day), 30 * day)
  assert.equal(lifetime(45 * day), 15 * day)
  assert.equal(lifetime(60 * day), 1, 'there is none of no time at all')
  assert.equal(lifetime(90 * day), 1)
})

test('one of a session ends with it, whatever its own time is', () => {
  assert.equal(lifetime(80 * day, true), 90 * day)
})
