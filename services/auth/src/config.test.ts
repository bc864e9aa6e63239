import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, readConfig } from '@gatehouse/config'
import { lifetimesOf, rules, variables } from './config.ts'

const key = (byte: number, bytes = 32) => Buffer.alloc(bytes, byte).toString('base64')

const local = {
  GATEHOUSE_MODE: 'local',
  PUBLIC_ORIGIN: 'http://localhost:8080',
  GRPC_PORT: '0',
  WEB_PORT: '0',
  METRICS_PORT: '0',
  DATABASE_URL: 'postgres://auth:x7Kd93nQpLw2@127.0.0.1/gatehouse',
  NATS_URL: 'nats://auth:x7Kd93nQpLw2@127.0.0.1',
  WORKLOAD_KEY_FILE: 'key.json',
  WORKLOAD_JWKS_FILE: 'jwks.json',
  USER_URL: '127.0.0.1:9101',
  REQUEST_KEY: key(1),
  AUTH_KEY_ENCRYPTION_KEY: key(2),
  AUTH_CHALLENGE_KEY: key(3),
}

function problemsOf(changed: Record<string, string | undefined>): readonly string[] {
  try {
    readConfig(variables, { ...local, ...changed }, rules)
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.problems
  }
}

test('what is not said lives as long as the contract says', () => {
  assert.deepEqual(lifetimesOf(readConfig(variables, local, rules)), {
    accessTokenSeconds: 600,
    sessionIdleSeconds: 14 * 86_400,
    sessionAbsoluteSeconds: 30 * 86_400,
    refreshGraceSeconds: 30,
  })
})

test('every missing variable is named at once', () => {
  const problems = problemsOf({ AUTH_KEY_ENCRYPTION_KEY: undefined, AUTH_CHALLENGE_KEY: undefined, USER_URL: undefined }).join('\n')
  for (const name of ['AUTH_KEY_ENCRYPTION_KEY', 'AUTH_CHALLENGE_KEY', 'USER_URL'])
    assert.match(problems, new RegExp(`^${name} is missing`, 'm'))
})

test('a service says who it is by a key file or by projected tokens, and by one of them', () => {
  assert.match(problemsOf({ WORKLOAD_KEY_FILE: undefined }).join(), /WORKLOAD_KEY_FILE is missing/)
  assert.deepEqual(problemsOf({ WORKLOAD_KEY_FILE: undefined, WORKLOAD_TOKEN_FILE: '/var/run/gatehouse/{peer}' }), [])
  assert.equal(problemsOf({ WORKLOAD_TOKEN_FILE: '/var/run/gatehouse/{peer}' }).length, 1)
})

test('keys are 32 bytes and two', () => {
  assert.match(problemsOf({ AUTH_KEY_ENCRYPTION_KEY: key(2, 16) }).join(), /32 bytes/)
  assert.match(problemsOf({ AUTH_KEY_ENCRYPTION_KEY: key(2, 33) }).join(), /it has 33/)
  assert.match(problemsOf({ AUTH_KEY_ENCRYPTION_KEY_PREVIOUS: key(2, 33) }).join(), /PREVIOUS has to be 32 bytes/)
  assert.match(problemsOf({ AUTH_CHALLENGE_KEY: local.AUTH_KEY_ENCRYPTION_KEY }).join(), /two keys/)
})

test('a key that replaces another, or is replaced, is one of its kind and another', () => {
  for (const name of ['AUTH_CHALLENGE_KEY', 'REQUEST_KEY'] as const) {
    const previous = `${name}_PREVIOUS`
    assert.deepEqual(problemsOf({ [previous]: key(4) }), [])
    assert.match(problemsOf({ [previous]: key(4, 31) }).join(), new RegExp(`${previous} has to be 32 bytes`))
    assert.match(problemsOf({ [previous]: local[name] }).join(), new RegExp(`${previous} has to be another key`))
    const inProduction = problemsOf({ GATEHOUSE_MODE: 'production', [previous]: 'A'.repeat(44) })
    assert.match(inProduction.join('\n'), new RegExp(`${previous} is a default or weak secret`))
  }
  assert.match(problemsOf({ AUTH_CHALLENGE_KEY_PREVIOUS: local.AUTH_KEY_ENCRYPTION_KEY }).join(), /another key/)
})

test('production refuses known secrets and plaintext, all at once', () => {
  const problems = problemsOf({ GATEHOUSE_MODE: 'production', AUTH_CHALLENGE_KEY: 'A'.repeat(44) })
  assert.match(problems.join('\n'), /AUTH_CHALLENGE_KEY is a default or weak secret/)
})

test('no client of production may leave PKCE out', () => {
  assert.deepEqual(problemsOf({ OIDC_CONFORMANCE: '1' }), [])
  assert.match(problemsOf({ GATEHOUSE_MODE: 'production', OIDC_CONFORMANCE: '1' }).join('\n'), /OIDC_CONFORMANCE is not for production/)
})

test('no lifetime leaves its bounds', () => {
  for (const changed of [
    { ACCESS_TOKEN_LIFETIME: '11m' },
    { ACCESS_TOKEN_LIFETIME: '59s' },
    { REFRESH_GRACE: '31s' },
    { SESSION_IDLE_LIFETIME: '91d' },
    { OFFLINE_GRANT_LIFETIME: '7d' },
    { AUTH_AUDIENCES: 'orders,gatehouse' },
  ])
    assert.equal(problemsOf(changed).length, 1, JSON.stringify(changed))
})

test('what passwords cost stays above the floor, and the list of breaches is asked under TLS', () => {
  assert.deepEqual(problemsOf({ PASSWORD_PASSES: '1', PASSWORD_MEMORY_KIB: '47104' }), [])
  assert.match(problemsOf({ PASSWORD_PASSES: '1' }).join(), /PASSWORD_MEMORY_KIB has to be 47104 or more/)
  assert.match(problemsOf({ PASSWORD_MEMORY_KIB: '2097152' }).join(), /PASSWORD_MEMORY_KIB/)
  for (const here of ['https://breaches.example/range', 'http://127.0.0.1:8000/range', 'http://[::1]/range', 'http://localhost/range'])
    assert.deepEqual(problemsOf({ PASSWORD_BREACH_URL: here }), [])
  for (const open of ['http://breaches.example/range', 'http://127.0.0.1.example/', 'ftp://127.0.0.1/'])
    assert.match(problemsOf({ PASSWORD_BREACH_URL: open }).join(), /PASSWORD_BREACH_URL/)
})
