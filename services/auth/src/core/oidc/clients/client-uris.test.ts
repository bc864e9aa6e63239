import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClientKind } from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import { backchannelProblem, redirectProblem } from './client-uris.ts'

test('apps on people’s machines come back to localhost wherever Gatehouse lives, servers only where it lives there too', () => {
  const at = (kind: ClientKind, localhost: boolean) => redirectProblem('http://localhost:8085/auth/callback', { kind, localhost })
  assert.deepEqual([at(ClientKind.NATIVE, false), at(ClientKind.WEB, true)], [undefined, undefined])
  assert.match(at(ClientKind.WEB, false) ?? '', /is http/)
  assert.match(redirectProblem('http://localhost.evil.example/', { kind: ClientKind.NATIVE, localhost: false }) ?? '', /is http/)
})

test('an address that we would never call is not taken, by whatever way it is written, unless our own network may be called there', () => {
  const at = (uri: string, egressAllow: readonly string[] = []) => backchannelProblem(uri, { localhost: true, egressAllow })
  for (const uri of ['https://127.0.0.1/', 'http://127.0.0.1:9000/out', 'https://10.1.2.3/out', 'https://[::1]/', 'https://[fd00::1]/'])
    assert.match(at(uri) ?? '', /no public address/, uri)
  assert.deepEqual([at('https://127.0.0.1/', ['127.0.0.1']), at('https://10.1.2.3:8443/out', ['10.1.2.3:8443'])], [undefined, undefined])
  assert.match(at('https://10.1.2.3:8443/out', ['10.1.2.3:9443']) ?? '', /no public address/)
  assert.deepEqual([at('https://rp.example/out'), at('https://8.8.8.8/out')], [undefined, undefined])
})
