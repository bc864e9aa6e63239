import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClientKind } from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import { redirectProblem } from './client-uris.ts'

test('apps on people’s machines come back to localhost wherever Gatehouse lives, servers only where it lives there too', () => {
  const at = (kind: ClientKind, localhost: boolean) => redirectProblem('http://localhost:8085/auth/callback', { kind, localhost })
  assert.deepEqual([at(ClientKind.NATIVE, false), at(ClientKind.WEB, true)], [undefined, undefined])
  assert.match(at(ClientKind.WEB, false) ?? '', /is http/)
  assert.match(redirectProblem('http://localhost.evil.example/', { kind: ClientKind.NATIVE, localhost: false }) ?? '', /is http/)
})
