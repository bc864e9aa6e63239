import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { parseEnv } from 'node:util'
import { variables as consoleVariables } from '@gatehouse/console-server/config'
import { restPrefixes, serviceOfPath } from '@gatehouse/local'
import * as auth from '../../../services/auth/src/config.ts'
import * as notification from '../../../services/notification/src/config.ts'
import * as user from '../../../services/user/src/config.ts'
import { type ComposeFile, readCompose } from './compose-file.ts'
import { composeProblems, hardeningProblems } from './compose-problems.ts'
import { type Asked, environmentProblems } from './environment-problems.ts'
import { deploy, makeSecrets } from './make-secrets.ts'

const text = readFileSync(join(deploy, 'compose.yaml'), 'utf8')
const example = parseEnv(readFileSync(join(deploy, 'compose/.env.example'), 'utf8')) as Record<string, string>
const programs = { user, auth, notification, console: { variables: consoleVariables, rules: [] } } as unknown as Record<string, Asked>
// In place of the command, which takes a second for each: files where it would write them.
const standIn = '#!/bin/sh\necho "{}" >"$7" && echo "{}" >"$5"\n'
let folder: string

// The secrets are those that the script makes: a value that a service would refuse is found here. What makes workload keys is the slow test's.
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-compose-'))
  writeFileSync(join(folder, 'gatehouse'), standIn, { mode: 0o755 })
  makeSecrets(folder, join(folder, 'gatehouse'))
})
after(() => rmSync(folder, { recursive: true, force: true }))

const secret = (name: string): string | undefined => {
  const file = join(folder, 'secrets', name)
  return name === 'smtp_password' ? 'kq3xW9vT7rLp2sYd' : existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

function problemsOf(changed: string): readonly string[] {
  const file: ComposeFile = readCompose(changed, example)
  return [
    ...composeProblems(file),
    ...hardeningProblems(file),
    ...Object.entries(programs).flatMap(([name, asked]) => environmentProblems(file, name, asked, secret)),
  ]
}

test('one machine runs all of Gatehouse: each service in production mode, its secrets from files, nothing open but the gateway', () => {
  assert.deepEqual(problemsOf(text), [])
  assert.equal(readCompose(text, example).services.user?.environment?.GATEHOUSE_MODE, undefined)
})

test('each mistake in it would be named', () => {
  const planted: readonly [from: string | RegExp, to: string, problem: RegExp][] = [
    ['postgres:18.4', 'postgres:latest', /postgres:latest is no version/],
    [
      'WORKLOAD_JWKS_FILE: /run/secrets/workload_jwks',
      'WORKLOAD_JWKS: x',
      /user: nobody reads WORKLOAD_JWKS[\s\S]*WORKLOAD_JWKS_FILE is missing/,
    ],
    [
      'REQUEST_KEY_FILE: /run/secrets/request_key',
      `REQUEST_KEY: ${Buffer.alloc(32, 'secret in a file').toString('base64')}`,
      /REQUEST_KEY is a secret, and stands/,
    ],
    ['  TLS_BY_MESH: 1\n', '', /user: NATS_URL has to start with tls:/],
    [
      '- { source: challenge_key, target: challenge_key }',
      '- { source: challenge_key, target: other }',
      /AUTH_CHALLENGE_KEY_FILE names .* no secret of it/,
    ],
    ['MAIL_FROM: ${', 'MAIL_FORM: ${', /notification: nobody reads MAIL_FORM/],
    [
      'user-migrate: { condition: service_completed_successfully }',
      'user-migrat: { condition: service_started }',
      /waits for user-migrat /,
    ],
    ['nats: { condition: service_healthy }', 'nats: { condition: service_heathy }', /waits for nats to be service_heathy/],
    ['      - CMD\n', '      - CMD-SHELL\n', /its healthcheck asks for a shell/],
    [/ {2}read_only: true\n/, '', /user: its root can be written/],
    ['cap_drop: [ALL]', 'cap_drop: [NET_RAW]', /auth: it keeps capabilities/],
    ['"80:80"', '"5432:5432"', /5432:5432 is open/],
    ['mem_limit: 1g\n    shm', 'mem_limits: 1g\n    shm', /mem_limits is none of its keys[\s\S]*may take all memory/],
    ['ipv4_address: 172.30.7.2', 'ipv4_address: 172.30.8.2', /172\.30\.8\.2 is no address/],
    ['- postgres:/var/lib', '- postgre:/var/lib', /there is no volume postgre$/m],
  ]
  for (const [from, to, problem] of planted) {
    const changed = text.replace(from, to)
    assert.notEqual(changed, text, String(from))
    assert.match(problemsOf(changed).join('\n'), problem, String(from))
  }
})

test('who believes X-Forwarded-For believes the gateway, at the address that it has', () => {
  const { services } = readCompose(text, example)
  const networks = services.gateway?.networks as Record<string, { ipv4_address: string }>
  for (const name of ['user', 'auth', 'notification'])
    assert.equal(services[name]?.environment?.TRUSTED_PROXIES, networks.house?.ipv4_address)
})

test('every file that a container is shown is there, and every secret is made, but for the one that is the operator’s', () => {
  const { services, secrets } = readCompose(text, example)
  const shown = Object.values(services).flatMap(({ volumes = [] }) => volumes.map((each) => each.split(':')[0] ?? ''))
  for (const file of shown.filter((each) => each.startsWith('./'))) assert.ok(existsSync(join(deploy, file)), file)
  const made = new Set(readdirSync(join(folder, 'secrets')))
  const missing = Object.values(secrets).filter(({ file }) => !made.has(file.replace('./secrets/', '')))
  assert.deepEqual(missing, [{ file: './secrets/smtp_password' }])
  assert.equal(made.size, Object.keys(secrets).length - 1)
})

test('secrets lie in a closed folder, are kept when the script runs again, and nats-server has those of the services', () => {
  assert.equal(statSync(join(folder, 'secrets')).mode & 0o777, 0o700)
  const [before, lines] = [secret('user_request_key'), secret('nats_passwords') ?? '']
  makeSecrets(folder, 'false')
  assert.deepEqual([secret('user_request_key'), secret('nats_passwords')], [before, lines])
  // As a release that knew one user fewer left them.
  const file = join(folder, 'secrets/nats_passwords')
  chmodSync(file, 0o600)
  writeFileSync(file, lines.replace(/^password_of_operator: .*\n/m, ''))
  makeSecrets(folder, 'false')
  const passwords = secret('nats_passwords') ?? ''
  const ofOthers = (text: string) => text.split('\n').filter((line) => !line.startsWith('password_of_operator'))
  assert.deepEqual(ofOthers(passwords), ofOthers(lines))
  for (const name of ['user', 'auth', 'notification']) {
    const password = new URL(secret(`${name}_nats_url`) ?? '').password
    assert.match(passwords, new RegExp(`^password_of_${name}: "${password}"$`, 'm'))
  }
  const asked = [...readFileSync(join(deploy, 'nats/users.conf'), 'utf8').matchAll(/\$(password_of_\w+)/g)].map(([, name]) => name)
  assert.deepEqual(
    [...passwords.matchAll(/^(\w+):/gm)].map(([, name]) => name),
    asked,
  )
})

test('the gateway brings each path to the service that serves it, and cookies to auth alone', () => {
  const caddyfile = readFileSync(join(deploy, 'compose/Caddyfile'), 'utf8')
  const matchers = new Map(
    [...caddyfile.matchAll(/^\t@(\w+) path_regexp (\S+)$/gm)].map(([, name = '', pattern = '']) => [name, new RegExp(pattern)]),
  )
  const served = (path: string) => [...matchers].find(([, pattern]) => pattern.test(path))?.[0]
  const prefixes = restPrefixes()
  const paths = [
    ...[...prefixes.keys()].flatMap((prefix) => [prefix, `${prefix}/1`, `${prefix}:verb`, `${prefix}s`]),
    ...['user', 'auth', 'notification', 'other'].map((name) => `/gatehouse.${name}.v1.Service/Method`),
    ...['/', '/account', '/assets/index.js', '/openapi.json', '/.well-known/jwks.json', '/oidc/token', '/oidc', '/api', '/api/unknown'],
  ]
  for (const path of paths) assert.equal(served(path), serviceOfPath(path, prefixes), path)
  const handles = new Map(
    [...caddyfile.matchAll(/\thandle (?:@(\w+) )?\{([\s\S]*?)\n\t\}/g)].map(([, name = 'console', block = '']) => [name, block]),
  )
  for (const [name, block] of handles) {
    assert.match(block, new RegExp(`reverse_proxy ${name}:8080 `))
    assert.equal(/header_up -Cookie/.test(block), name !== 'auth', name)
  }
  assert.deepEqual([...handles.keys()], ['user', 'auth', 'notification', 'console'])
})
