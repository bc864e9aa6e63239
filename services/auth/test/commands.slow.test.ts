import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Code } from '@connectrpc/connect'
import { CommandFailed, CommandProblem } from '@gatehouse/cli'
import { readConfig } from '@gatehouse/config'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { refused, testDatabase } from '@gatehouse/testkit'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { sql } from 'kysely'
import { auditCheck } from '../src/audit-check.ts'
import { commands } from '../src/commands.ts'
import { rules, variables } from '../src/config.ts'
import { makeSigningKey } from '../src/core/keys/make-keys.ts'
import { keysCheck } from '../src/keys-check.ts'
import { insertSigningKey } from '../src/store/signing-keys.ts'
import { openBrowser } from './browser.ts'
import { openStory, type Story } from './open-story.ts'
import { until } from './until.ts'

let story: Story
before(async () => {
  story = await openStory()
})
after(async () => story[Symbol.asyncDispose]())

/** Runs a command in this process; answers what it printed. */
async function gatehouse(name: string, args: string[] = [], mode = 'local', more: Record<string, string> = {}): Promise<string> {
  const command = commands.find((each) => each.name === name)
  assert.ok(command, name)
  const lines: string[] = []
  const { write } = process.stdout
  // The test runner reports over standard output too, in bytes.
  process.stdout.write = (chunk: string | Uint8Array, ...rest: never[]) =>
    typeof chunk === 'string' ? lines.push(chunk) > 0 : write.call(process.stdout, chunk, ...rest)
  try {
    await command.run(args, { ...story.environment, GATEHOUSE_MODE: mode, ...more })
  } finally {
    process.stdout.write = write
  }
  return lines.join('')
}

test('migrate finds nothing to do on a schema that is up to date', async () => {
  assert.match(await gatehouse('migrate'), /is up to date/)
})

test('a tenant that a command makes is served without a restart', async () => {
  const origin = 'http://acme.localhost:8080'
  const browser = openBrowser(story.app.ports.web, origin)
  assert.equal((await browser.get('/.well-known/jwks.json')).status, 404)
  await gatehouse('tenants create', ['acme', '--origin', origin])
  await gatehouse('tenants create', ['acme', '--origin', origin])
  assert.match(await gatehouse('tenants list'), /^acme\thttp:\/\/acme\.localhost:8080$/m)
  await until(async () => (await browser.get('/.well-known/jwks.json')).status === 200)
  const [ours, theirs] = await Promise.all([
    openBrowser(story.app.ports.web).get('/.well-known/jwks.json'),
    browser.get('/.well-known/jwks.json'),
  ])
  assert.notDeepEqual(ours.body, theirs.body)
  await assert.rejects(gatehouse('tenants create', ['other', '--origin', origin]), CommandFailed)
  await assert.rejects(gatehouse('tenants create', ['No Id', '--origin', origin]), CommandProblem)
  await assert.rejects(gatehouse('tenants create', ['other']), CommandProblem)
})

test('a policy is shown and set, and words that leave its bounds are refused with their field', async () => {
  const show = async () => JSON.parse(await gatehouse('policy show'))
  assert.equal((await show()).passwordMinLength, 15)
  assert.equal(JSON.parse(await gatehouse('policy set', ['{"passwordMinLength": 16}'])).etag, 'v1')
  assert.equal((await show()).passwordMinLength, 16)
  for (const words of ['{"passwordMinLength": 7}', '{"passwordMinLength": 14}', '{"passwordMinLengths": 20}', 'x', ''])
    await assert.rejects(gatehouse('policy set', words === '' ? [] : [words]), CommandProblem, words)
  await assert.rejects(gatehouse('policy set', ['{"passwordMinLength": 7}']), /passwordMinLength/)
  await assert.rejects(gatehouse('policy set', ['{"etag": "v0", "passwordMinLength": 20}']), CommandFailed)
  await gatehouse('policy set', ['{"passwordMinLength": 15}'])
})

test('a person of one tenant is nobody in the other, under the same address', async () => {
  const origin = 'http://globex.localhost:8080'
  await gatehouse('tenants create', ['globex', '--origin', origin])
  const here = JSON.parse(await gatehouse('dev person', ['twin@example.com']))
  const there = JSON.parse(await gatehouse('dev person', ['twin@example.com', '--tenant', 'globex']))
  assert.notEqual(here.user_id, there.user_id)
  const [ours, theirs] = [openBrowser(story.app.ports.web), openBrowser(story.app.ports.web, origin)]
  const signIn = (browser: typeof ours, password: string) => browser.call('SessionService/SignIn', { email: 'twin@example.com', password })
  await until(async () => (await theirs.get('/.well-known/jwks.json')).status === 200)
  assert.equal((await signIn(ours, here.password)).status, 200)
  assert.equal((await signIn(theirs, there.password)).status, 200)
  assert.equal((await signIn(theirs, here.password)).reason, 'EMAIL_OR_PASSWORD_WRONG')
  const crossed = await theirs.call('SessionService/ListSessions', {}, { authorization: `Bearer ${here.access_token}` })
  assert.equal(crossed.reason, 'WRONG_TENANT')
  assert.equal((await theirs.call('SessionService/RefreshSession', { refreshToken: here.refresh_token })).reason, 'REFRESH_TOKEN_INVALID')
})

test('a page has cookies at the host of its own tenant only', async () => {
  const origin = 'http://initech.localhost:8080'
  await gatehouse('tenants create', ['initech', '--origin', origin])
  const { email, password } = JSON.parse(await gatehouse('dev person', ['peter@example.com', '--tenant', 'initech']))
  const browser = openBrowser(story.app.ports.web, origin)
  await until(async () => (await browser.get('/.well-known/jwks.json')).status === 200)
  assert.equal((await browser.call('SessionService/SignIn', { email, password, useCookie: true })).status, 200)
  const foreign = await browser.call('SessionService/RefreshSession', {}, { origin: 'http://localhost:8080' })
  assert.equal(foreign.reason, 'ORIGIN_NOT_ALLOWED')
  assert.equal((await browser.call('SessionService/RefreshSession')).status, 200)
})

test('a person for trying things out is proven, signed in, and the same when asked for again', async () => {
  const first = JSON.parse(await gatehouse('dev person', ['ada@example.com', '--name', 'Ada']))
  assert.equal(story.people.of('default', first.user_id).state, User_State.ACTIVE)
  const sessions = await story.grpc(SessionService, { authorization: `Bearer ${first.access_token}` })
  assert.equal((await sessions.listSessions({})).sessions.length, 1)
  assert.ok((await (await story.grpc(SessionService)).refreshSession({ refreshToken: first.refresh_token })).signedIn)
  const second = JSON.parse(await gatehouse('dev person', ['ada@example.com']))
  assert.equal(second.user_id, first.user_id)
  const { result } = await (await story.grpc(SessionService)).signIn({ email: 'ada@example.com', password: second.password })
  assert.equal(result.case, 'signedIn')
})

test('the local administrator is a service account: allowed everything, signed in nowhere', async () => {
  const token = (await gatehouse('dev admin-token')).trim()
  const { sid, client_id: clientId, permissions, exp = 0, iat = 0 } = decodeJwt(token)
  assert.deepEqual([sid, clientId, exp - iat], [undefined, 'local-admin', 600])
  assert.ok((permissions as string[]).includes('user.users.delete'))
  const sessions = await story.grpc(SessionService, { authorization: `Bearer ${token}` })
  await refused(sessions.listSessions({}), Code.PermissionDenied, 'PERMISSION_DENIED')
  await refused(sessions.issueToken({ audience: 'orders' }), Code.PermissionDenied, 'PERMISSION_DENIED')
})

test('what is for one’s own machine does not work elsewhere', async () => {
  for (const mode of ['test', 'production']) {
    await assert.rejects(gatehouse('dev person', ['eve@example.com'], mode))
    await assert.rejects(gatehouse('dev admin-token', [], mode))
  }
})

test('the first administrator is one person, by however many commands at once', async () => {
  const printed = (await Promise.all([1, 2, 3].map(() => gatehouse('admin invite', ['first@example.com'])))).join('')
  const ids = printed.match(/^\S+(?= is an administrator)/gm) ?? []
  assert.ok(ids.length > 0)
  assert.equal(new Set(ids).size, 1)
})

test('the first administrator is invited with the database’s credentials', async () => {
  const earlier = await sql`select from service_accounts`.execute(story.db)
  const {
    rows: [last],
  } = await sql<{ id: string }>`select max(id::text) as id from audit_entries`.execute(story.db)
  const printed = await gatehouse('admin invite', ['boss@example.com', '--name', 'Boss'])
  assert.match(printed, /the invitation is on its way/)
  const [userId = ''] = printed.split(' ')
  assert.equal(story.people.of('default', userId).state, User_State.INVITED)
  assert.doesNotMatch(await gatehouse('admin invite', ['boss@example.com']), /on its way/)
  // All of it is on record, and nothing that may do everything is left but the person.
  const { rows: acts } = await sql<{ kind: string; subject: string; actor: string }>`
    select kind, subject_id as subject, actor_kind as actor from audit_entries
    where id::text > ${last?.id ?? ''} and (kind = 'role_bind' or kind like 'service_account_%') order by id`.execute(story.db)
  const made = acts.find(({ kind }) => kind === 'service_account_create')?.subject
  assert.deepEqual(
    acts.map(({ kind, subject, actor }) => [kind, subject === made ? 'account' : subject, actor]),
    [
      ['service_account_create', 'account', 'operator'],
      ['role_bind', 'account', 'operator'],
      ['service_account_delete', 'account', 'operator'],
      ['role_bind', userId, 'operator'],
    ],
  )
  const { rows: accounts } = await sql`select from service_accounts`.execute(story.db)
  assert.equal(accounts.length, earlier.rows.length)

  const { access_token: token } = JSON.parse(await gatehouse('dev person', ['boss@example.com']))
  assert.equal(decodeJwt(token).sub, userId)
  assert.ok((decodeJwt(token).permissions as string[]).includes('user.users.create'))
})

/** A key that signs from now on, closed by an encryption key that nobody here has. */
async function addShutKey(): Promise<string> {
  const key = await makeSigningKey(Buffer.alloc(32, 99), 'default')
  const time = new Date()
  await insertSigningKey(story.db, { ...key, create_time: time, sign_time: time })
  return key.kid
}

const shutKeys = async (): Promise<string | undefined> => {
  const exposed = await (await fetch(`http://127.0.0.1:${story.app.ports.metrics}/metrics`)).text()
  return /^gatehouse_auth_keys_shut(?:\{.*\})? (\d+)$/m.exec(exposed)?.[1]
}

test('signing keys are listed and rotated', async () => {
  const before = (await gatehouse('keys list')).trim().split('\n')
  assert.equal(before.length, 1)
  const kid = (await gatehouse('keys rotate')).trim()
  assert.match(await gatehouse('keys rotate'), /waits for its time/)
  const after = await gatehouse('keys list')
  assert.equal(after.trim().split('\n').length, 2)
  assert.ok(after.includes(kid))
  const browser = openBrowser(story.app.ports.web)
  const published = async () => ((await browser.get('/.well-known/jwks.json')).body.keys as unknown[]).length
  // Whoever holds its tokens goes on, though nobody here can sign with it.
  await addShutKey()
  await until(async () => (await published()) === 3)
  assert.equal(await shutKeys(), '1')

  const { access_token: old } = JSON.parse(await gatehouse('dev person', ['ada@example.com']))
  await gatehouse('keys rotate', ['--now'])
  await until(async () => (await published()) === 1)
  assert.equal(await shutKeys(), '0')
  const { access_token: fresh } = JSON.parse(await gatehouse('dev person', ['ada@example.com']))
  const list = (token: string) =>
    story.grpc(SessionService, { authorization: `Bearer ${token}` }).then((sessions) => sessions.listSessions({}))
  assert.ok(await list(fresh))
  await refused(list(old), Code.Unauthenticated, 'ACCESS_TOKEN_INVALID')
})

test('a signing key is revoked by its kid: its tokens are refused, and the last one goes with a successor only', async () => {
  const { access_token: token } = JSON.parse(await gatehouse('dev person', ['ada@example.com']))
  const [kid = ''] = (await gatehouse('keys list')).split('\t')
  assert.equal(decodeProtectedHeader(token).kid, kid)
  await assert.rejects(gatehouse('keys revoke', [kid]), /only key of default/)
  await assert.rejects(gatehouse('keys revoke', ['another']), CommandFailed)
  assert.match(await gatehouse('keys revoke', [kid, '--successor']), new RegExp(`^${kid} is trusted no more.*\\n\\S+ signs\\n$`, 's'))
  assert.ok(!(await gatehouse('keys list')).includes(kid))
  const sessions = await story.grpc(SessionService, { authorization: `Bearer ${token}` })
  await until(() =>
    sessions.listSessions({}).then(
      () => false,
      () => true,
    ),
  )
  await refused(sessions.listSessions({}), Code.Unauthenticated, 'ACCESS_TOKEN_INVALID')
})

test('the doctor tells whether the audit log is there, sealed, and out of reach of the service', async () => {
  const config = readConfig(variables, story.environment, rules)
  const look = async (gatehouseMode: 'local' | 'production' = 'local') =>
    (await auditCheck({ ...config, gatehouseMode })()).map(({ level, what }) => `${level} ${what}`)
  assert.deepEqual(await look(), ['ok the audit log is there and sealed'])
  assert.match((await look('production'))[0] ?? '', /^note auth's role owns the tables of the audit log/)
  await sql`grant delete on audit_seals to current_user`.execute(story.db)
  assert.deepEqual((await look())[0], "wrong auth's role may change audit_seals")
  await sql`revoke delete on audit_seals from current_user`.execute(story.db)
  await sql`alter table audit_checkpoints rename to elsewhere`.execute(story.db)
  assert.match((await look())[0] ?? '', /^wrong the audit log is gone: there is no audit_checkpoints, /)
  await sql`alter table elsewhere rename to audit_checkpoints`.execute(story.db)
})

test('a key that does not open is told by the doctor with what goes on, signs nothing, and is revoked', async () => {
  const kid = await addShutKey()
  const [finding] = await keysCheck(readConfig(variables, story.environment, rules))()
  assert.equal(finding?.level, 'wrong')
  assert.match(
    finding?.what ?? '',
    new RegExp(`^AUTH_KEY_ENCRYPTION_KEY does not open the signing key ${kid} of tenant default: the others go on`),
  )
  const { access_token: token } = JSON.parse(await gatehouse('dev person', ['ada@example.com']))
  assert.notEqual(decodeProtectedHeader(token).kid, kid)
  assert.deepEqual((await gatehouse('keys list')).match(/^\S+(?=\t.*does not open$)/gm), [kid])
  await assert.rejects(gatehouse('keys reencrypt'), CommandFailed)
  assert.match(await gatehouse('keys revoke', [kid]), /is trusted no more/)
  assert.match(await gatehouse('keys reencrypt'), /are encrypted under the present key/)
})

test('audiences are registered once', async () => {
  assert.match(await gatehouse('audiences add', ['orders']), /is registered$/m)
  assert.match(await gatehouse('audiences add', ['orders']), /is registered already$/m)
  await assert.rejects(gatehouse('audiences add', ['gatehouse']), CommandProblem)
})

test('a command that is called wrongly says so', async () => {
  await assert.rejects(gatehouse('dev person', []), CommandProblem)
  await assert.rejects(gatehouse('dev person', ['no address']), CommandProblem)
  await assert.rejects(gatehouse('keys list', ['--nonsense']), CommandProblem)
  for (const name of ['keys list', 'keys rotate', 'dev admin-token']) await assert.rejects(gatehouse(name, ['acme']), CommandProblem)
})

test('a peer that is away and an encryption key that is another are told in a sentence', async () => {
  const from = (more: Record<string, string>, name: string, ...args: string[]) => gatehouse(name, args, 'local', more)
  await assert.rejects(from({ USER_URL: '127.0.0.1:1' }, 'admin invite', 'zoe@example.com'), /user at 127\.0\.0\.1:1 does not answer/)
  const another = { AUTH_KEY_ENCRYPTION_KEY: Buffer.alloc(32, 99).toString('base64') }
  const isAnother = /AUTH_KEY_ENCRYPTION_KEY is not the key/
  await assert.rejects(from(another, 'keys rotate', '--now'), isAnother)
  await assert.rejects(from(another, 'tenants create', 'umbra', '--origin', 'http://umbra.localhost:8080'), isAnother)
})

test('a command over the database of another service does nothing', async () => {
  const others = commands.filter(({ name }) => /^(outbox|dead-letters) /.test(name) && !name.endsWith('replay'))
  await using database = await testDatabase({ service: 'notification', sets: [] })
  for (const { name } of others)
    await assert.rejects(gatehouse(name, ['x'], 'local', { DATABASE_URL: database.url }), /leads into the schema gatehouse_notification/)
})

test('a database that is away or lets nobody in is told in a sentence, without its password', async () => {
  const url = new URL(story.environment.DATABASE_URL ?? '')
  const of = (change: Partial<Record<'port' | 'password' | 'pathname', string>>) => Object.assign(new URL(url), change).href
  const bad = [of({ port: '1' }), of({ password: 'a-Wrong-one' }), of({ pathname: '/nowhere' })]
  for (const DATABASE_URL of bad)
    for (const [name, ...args] of [['keys list'], ['tenants list'], ['migrate'], ['outbox status'], ['dead-letters retry', '--all']] as [
      string,
      ...string[],
    ][])
      await assert.rejects(gatehouse(name, args, 'local', { DATABASE_URL }), (error) => {
        assert.ok(error instanceof CommandFailed, `${name}: ${error}`)
        assert.match(error.message, /^Postgres at \S+ (cannot be reached|refuses): [^\n]+$/)
        assert.doesNotMatch(error.message, /a-Wrong-one/)
        return true
      })
})

/** Of crypt_blowfish's test vectors. */
const [elsewhere, fromElsewhere] = ['U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW']

test('passwords from elsewhere come in once, and their people sign in with them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-passwords-'))
  const file = join(folder, 'passwords.ndjson')
  const [byId, byEmail, has, invited] = ['by-id', 'by-email', 'has-one', 'invited'].map((name) =>
    story.people.add('default', { email: `${name}@example.com`, state: name === 'invited' ? User_State.INVITED : User_State.ACTIVE }),
  )
  const { password } = JSON.parse(await gatehouse('dev person', ['has-one@example.com']))
  const lines = [
    { user_id: byId?.id.toUpperCase(), hash: fromElsewhere },
    { email: 'BY-EMAIL@example.com', hash: fromElsewhere },
    { user_id: has?.id, hash: fromElsewhere },
  ]
  const run = async (more: readonly string[] = []) => {
    await writeFile(file, [...lines.map((line) => JSON.stringify(line)), ...more].join('\n'))
    const complaints: string[] = []
    const { write } = process.stderr
    process.stderr.write = (chunk: string | Uint8Array) => complaints.push(String(chunk)) > 0
    try {
      return { printed: await gatehouse('auth import-passwords', [file]), complaints: complaints.join('') }
    } catch (error) {
      assert.ok(error instanceof CommandFailed, String(error))
      return { printed: '', complaints: complaints.join('') }
    } finally {
      process.stderr.write = write
    }
  }
  assert.deepEqual(await run(), { printed: '3 lines: 2 passwords imported, 1 people had one, 0 bad\n', complaints: '' })
  assert.deepEqual(await run(), { printed: '3 lines: 0 passwords imported, 3 people had one, 0 bad\n', complaints: '' })
  const browser = openBrowser(story.app.ports.web)
  const signIn = async (email = '', given: string) => (await browser.call('SessionService/SignIn', { email, password: given })).status
  assert.deepEqual(
    [await signIn(byId?.email, elsewhere), await signIn(byEmail?.email, elsewhere), await signIn(has?.email, password)],
    [200, 200, 200],
  )
  assert.deepEqual([await signIn(byId?.email, 'U*V'), await signIn(has?.email, elsewhere)], [401, 401])

  const { complaints } = await run([
    'not json',
    JSON.stringify({ user_id: byId?.id, hash: fromElsewhere.replace('$05$', '$31$') }),
    JSON.stringify({ user_id: byId?.id, hash: '5f4dcc3b5aa765d61d8327deb882cf99' }),
    JSON.stringify({ email: 'nobody-at-all@example.com', hash: fromElsewhere }),
    JSON.stringify({ user_id: invited?.id, hash: fromElsewhere }),
    JSON.stringify({ user_id: byId?.id, email: byId?.email, hash: fromElsewhere }),
    JSON.stringify({ user_id: byId?.id, hash: fromElsewhere, admin: true }),
    JSON.stringify({ email: 'by-id@EXAMPLE.com', hash: fromElsewhere }),
  ])
  const said = complaints.trim().split('\n').toSorted()
  assert.deepEqual(
    said.map((line) => /^line (\d+) /.exec(line)?.[1]),
    ['10', '11', '4', '5', '6', '7', '8', '9'],
  )
  assert.match(said[3] ?? '', /would cost more to verify/)
  assert.match(said[5] ?? '', /is about nobody/)
  assert.match(said[0] ?? '', /a field "admin"/)
  assert.equal(/5f4dcc|CCCC|@/.test(complaints), false)
  await assert.rejects(gatehouse('auth import-passwords', [join(folder, 'missing')]), CommandFailed)
  await assert.rejects(gatehouse('auth import-passwords', [file, '--tenant', 'nowhere']), CommandFailed)
  await rm(folder, { recursive: true })
})

test('a filter of breached passwords is made of a list, and a service with a broken one does not start', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-filter-'))
  const [list, out] = [join(folder, 'list.txt'), join(folder, 'made.filter')]
  await writeFile(list, 'a sentence that leaked\nshort\n')
  await assert.rejects(gatehouse('auth breach-filter', [list, '--out', out]), CommandProblem)
  await assert.rejects(readFile(out), { code: 'ENOENT' })
  assert.equal(await gatehouse('auth breach-filter', [list, '--out', out, '--passwords']), `1 passwords are in ${out}\n`)
  const replica = await story.startReplica({ PASSWORD_BREACH_FILTER: out })
  const signUp = (password: string) =>
    openBrowser(replica.ports.web).call('AccountService/SignUp', { email: 'new@example.com', name: 'New', password })
  assert.equal((await signUp('a sentence that leaked')).reason, 'PASSWORD_TOO_WEAK')
  assert.equal((await signUp('a sentence that did not')).status, 200)
  await assert.rejects(story.startReplica({ PASSWORD_BREACH_FILTER: list }), /is not a filter/)
  for (const args of [[], [list], ['-', '--out', out]])
    await assert.rejects(gatehouse('auth breach-filter', [...args, '--passwords']), CommandProblem, args.join(' '))
  for (const args of [
    [join(folder, 'missing'), '--out', out],
    [list, '--out', join(folder, 'no', 'folder')],
  ])
    await assert.rejects(gatehouse('auth breach-filter', [...args, '--passwords']), CommandFailed, args.join(' '))
  await rm(folder, { recursive: true })
})
