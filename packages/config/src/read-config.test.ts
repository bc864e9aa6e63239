import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  ConfigError,
  duration,
  flag,
  integer,
  list,
  oneOf,
  optional,
  origin,
  port,
  readConfig,
  secret,
  serviceRules,
  serviceVariables,
  text,
  url,
} from './index.ts'

const table = {
  NAME: text({ about: 'a name' }),
  GRPC_PORT: port({ about: 'a port', default: 9101 }),
  MODE: oneOf(['a', 'b'], { about: 'a mode', default: 'a' }),
  TOKEN: secret({ about: 'a token' }),
  KEY: optional(secret({ about: 'a key', bytes: 32 })),
  WAIT: duration({ about: 'a wait', default: 5000 }),
  HOSTS: list({ about: 'hosts', default: [] }),
  ON: flag({ about: 'a switch', default: false }),
  COUNT: integer({ about: 'a count', default: 1, min: 1, max: 5 }),
  DATABASE_URL: optional(url({ about: 'a database', protocols: ['postgres:'], secret: true })),
  ORIGIN: optional(origin({ about: 'an origin' })),
}

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(table, env)
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.problems
  }
  return []
}

const good = { NAME: 'x', TOKEN: 'kP3x9vQ2mN8rT5wY' }

test('values come under camel-case names, with defaults where nothing is set', () => {
  const values = readConfig(table, { ...good, WAIT: '10m', HOSTS: 'a, b', ON: 'yes', ORIGIN: 'https://id.example.com' })
  assert.equal(values.grpcPort, 9101)
  assert.equal(values.wait, 600_000)
  assert.deepEqual(values.hosts, ['a', 'b'])
  assert.equal(values.on, true)
  assert.equal(values.origin, 'https://id.example.com')
  assert.equal(values.databaseUrl, undefined)
})

test('every problem is told at once, and no secret is shown', () => {
  const problems = problemsOf({
    TOKEN: 'short',
    GRPC_PORT: '70000',
    MODE: 'c',
    WAIT: '5',
    COUNT: '9',
    ORIGIN: 'https://x/y',
    KEY: 'c2hvcnQ=',
  })
  assert.equal(problems.length, 8)
  assert.match(problems.join('\n'), /NAME is missing: a name/)
  assert.match(problems.join('\n'), /KEY has to be 32 bytes or more/)
  assert.doesNotMatch(problems.join('\n'), /short|c2hvcnQ/)
})

test('NAME_FILE gives the value of NAME', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'config-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'token'), 'kP3x9vQ2mN8rT5wY\n')
  assert.equal(readConfig(table, { NAME: 'x', TOKEN_FILE: join(folder, 'token') }).token, 'kP3x9vQ2mN8rT5wY')
  assert.deepEqual(problemsOf({ ...good, TOKEN_FILE: join(folder, 'token') }), ['TOKEN and TOKEN_FILE are both set'])
  assert.match(problemsOf({ NAME: 'x', TOKEN_FILE: join(folder, 'none') })[0] ?? '', /TOKEN cannot be read from .*ENOENT/)
})

test('production mode refuses weak and default secrets, local mode takes them', () => {
  assert.match(problemsOf({ ...good, TOKEN: 'changeme-changeme' })[0] ?? '', /TOKEN is a default or weak secret/)
  assert.match(
    problemsOf({ ...good, DATABASE_URL: 'postgres://gatehouse:gatehouse@db/x' })[0] ?? '',
    /DATABASE_URL is a default or weak secret/,
  )
  assert.deepEqual(problemsOf({ ...good, TOKEN: 'changeme-changeme', GATEHOUSE_MODE: 'local' }), [])
  for (const key of [Buffer.alloc(32), Buffer.alloc(32, 7), Buffer.alloc(32, 255)])
    assert.match(problemsOf({ ...good, KEY: key.toString('base64') })[0] ?? '', /KEY is a default or weak secret/)
})

test('production mode takes no mode of TLS under which Postgres is not verified', () => {
  const url = (query: string) => ({ ...service, DATABASE_URL: `postgres://u:kP3x9vQ2mN8rT5wY@db/x${query}` })
  for (const query of ['?sslmode=verify-full', '?sslmode=require', '?application_name=a&sslmode=verify-ca'])
    readConfig(serviceVariables, url(query), serviceRules)
  for (const query of [
    '',
    '?sslmode=prefer',
    '?sslmode=no-verify',
    '?sslmode=require-not',
    '#?sslmode=verify-full',
    '?uselibpqcompat=true&sslmode=require',
    '?sslmode=verify-full&sslmode=disable',
    '?sslmode=verify-full&ssl=0',
  ])
    assert.throws(() => readConfig(serviceVariables, url(query), serviceRules), /DATABASE_URL has to say sslmode=verify-full/, query)
})

const service = {
  PUBLIC_ORIGIN: 'https://id.example.com',
  GRPC_PORT: '0',
  WEB_PORT: '0',
  METRICS_PORT: '0',
  DATABASE_URL: 'postgres://gatehouse_user:kP3x9vQ2mN8rT5wY@db/x?sslmode=verify-full',
  NATS_URL: 'tls://user:kP3x9vQ2mN8rT5wY@nats',
  WORKLOAD_KEY_FILE: '/k',
  WORKLOAD_JWKS_FILE: '/j',
  REQUEST_KEY: Buffer.alloc(32, 'kP3x9vQ2').toString('base64'),
  GRPC_TLS_CERT_FILE: '/c',
  GRPC_TLS_KEY_FILE: '/k',
  GRPC_TLS_CA_FILE: '/ca',
}

test('production mode refuses plaintext unless a mesh encrypts', () => {
  readConfig(serviceVariables, service, serviceRules)
  readConfig(serviceVariables, { ...service, NATS_URL: `${service.NATS_URL}:4222,${service.NATS_URL}:4223` }, serviceRules)
  const {
    GRPC_TLS_CERT_FILE: _,
    GRPC_TLS_KEY_FILE: __,
    GRPC_TLS_CA_FILE: ___,
    ...plain
  } = { ...service, DATABASE_URL: 'postgres://u:kP3x9vQ2mN8rT5wY@db/x', NATS_URL: 'nats://user:kP3x9vQ2mN8rT5wY@nats' }
  assert.throws(
    () => readConfig(serviceVariables, plain, serviceRules),
    (error) => error instanceof ConfigError && error.problems.length === 4,
  )
  readConfig(serviceVariables, { ...plain, TLS_BY_MESH: '1' }, serviceRules)
})

test('rules tell what they can while other values are wrong', () => {
  const { PUBLIC_ORIGIN: _, ...rest } = service
  const tell = (env: Record<string, string>) => {
    try {
      readConfig(serviceVariables, env, serviceRules)
      return []
    } catch (error) {
      assert.ok(error instanceof ConfigError)
      return error.problems
    }
  }
  const problems = tell({ ...rest, NATS_URL: 'nats://user:kP3x9vQ2mN8rT5wY@nats' })
  assert.equal(problems.length, 2)
  assert.match(problems.join(), /PUBLIC_ORIGIN is missing.*NATS_URL has to start with tls:/)
})
