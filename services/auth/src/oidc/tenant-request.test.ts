import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { pathBelowMount, rewrite } from './tenant-request.ts'

test('what is below the mount is the library’s, with its query', () => {
  assert.equal(pathBelowMount('/oidc/token'), '/token')
  assert.equal(pathBelowMount('/oidc/auth?client_id=a%20b&x'), '/auth?client_id=a%20b&x')
  assert.equal(pathBelowMount('/oidc'), '/')
  assert.equal(pathBelowMount('/oidc?x'), '/?x')
})

test('a well-known path is found with the path of the issuer at its end (RFC 8414)', () => {
  assert.equal(pathBelowMount('/.well-known/oauth-authorization-server/oidc'), '/.well-known/oauth-authorization-server')
  assert.equal(pathBelowMount('/.well-known/openid-configuration/oidc?x'), '/.well-known/openid-configuration?x')
})

test('nothing else is', () => {
  for (const path of ['/', '/oidcx/token', '/OIDC/token', '/.well-known/openid-configuration', '/.well-known/jwks.json', '/api/users'])
    assert.equal(pathBelowMount(path), undefined, path)
})

test('the issuer’s address takes the place of whatever the client said about it', () => {
  const headers = {
    host: 'evil.example',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-for': '1.1.1.1',
    'x-forwarded-proto': 'gopher',
    'x-forwarded-anything': 'x',
    forwarded: 'host=evil.example',
    'x-real-ip': '1.1.1.1',
    cookie: 'kept',
  }
  const request = { url: '/oidc/token?x', headers } as unknown as IncomingMessage & { originalUrl?: string }
  rewrite(request, '/token?x', new URL('https://id.example.com:8443/oidc'), '192.0.2.1')
  assert.deepEqual(headers as unknown, {
    host: 'id.example.com:8443',
    'x-forwarded-proto': 'https',
    'x-forwarded-for': '192.0.2.1',
    cookie: 'kept',
  })
  assert.deepEqual([request.url, request.originalUrl], ['/token?x', '/oidc/token?x'])
})
