import assert from 'node:assert/strict'
import { pbkdf2Sync, randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { Refusal } from '@gatehouse/rpc'
import { type OpenedDeps, openDeps } from '../../../test/open-deps.ts'
import { refresh, refusedWith, rightPassword, signSomebodyIn, somebody } from '../../../test/sign-somebody-in.ts'
import { findCredential } from '../../store/credentials.ts'
import { listPasswordKinds, notePasswordKinds } from '../../store/password-kinds.ts'
import { readHash } from '../passwords/encoded-hash.ts'
import { followKinds } from '../passwords/follow-kinds.ts'
import { createHashPool } from '../passwords/hash-pool.ts'
import { signIn } from './sign-in.ts'

let opened: OpenedDeps
before(async () => {
  opened = await openDeps()
})
after(async () => opened[Symbol.asyncDispose]())

const tenant = 'default'
const seen = { tenant, userAgent: '', source: '203.0.113.9' }

/** As another system would have hashed it. */
function fromElsewhere(password: string): string {
  const salt = randomBytes(16)
  const plain = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')
  return `$pbkdf2-sha256$i=1000$${plain(salt)}$${plain(pbkdf2Sync(password, salt, 1000, 32, 'sha256'))}`
}

async function imported(hash: string) {
  const user = await somebody(opened)
  await opened.deps.db.updateTable('credentials').set({ password_hash: hash }).where('user_id', '=', user.id).execute()
  return user
}

const credentialOf = (userId: string) => findCredential(opened.deps.db, { tenant, userId })

test('a hash from elsewhere is verified and replaced by ours at the first sign-in, without a change of password', async () => {
  const user = await imported(fromElsewhere(rightPassword))
  await assert.rejects(signIn(opened.deps, { ...seen, email: user.email, password: 'wrong' }), refusedWith('EMAIL_OR_PASSWORD_WRONG'))
  assert.match((await credentialOf(user.id))?.password_hash ?? '', /^\$pbkdf2/)
  const first = await signSomebodyIn(opened.deps, user)
  const upgraded = await credentialOf(user.id)
  assert.match(upgraded?.password_hash ?? '', /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  assert.equal(upgraded?.version, 1)
  assert.ok((await refresh(opened.deps, first.refreshToken)).accessToken)
  await signSomebodyIn(opened.deps, user)
  assert.equal((await credentialOf(user.id))?.password_hash, upgraded?.password_hash)
  assert.deepEqual(await opened.eventsOf(user.id), [])
})

test('who is asked for a second factor has the better hash from the right password on', async () => {
  const user = await imported(fromElsewhere(rightPassword))
  await opened.deps.db
    .insertInto('totp_factors')
    .values({
      ...{ tenant, user_id: user.id, secret: randomBytes(20), create_time: new Date(), expire_time: new Date() },
      ...{ confirm_time: new Date(), last_step: 0, last_use_time: null },
    })
    .execute()
  assert.equal((await signIn(opened.deps, { ...seen, email: user.email, password: rightPassword })).case, 'nextStep')
  assert.match((await credentialOf(user.id))?.password_hash ?? '', /^\$argon2id/)
})

test('a decomposed accent is right for the hash that was made of it, and both spellings are afterwards', async () => {
  const decomposed = 'cafe\u0301 correct horse'
  const user = await imported(fromElsewhere(decomposed))
  const attempt = (password: string) => signIn(opened.deps, { ...seen, email: user.email, password })
  await assert.rejects(attempt(decomposed.normalize('NFC')), refusedWith('EMAIL_OR_PASSWORD_WRONG'))
  assert.ok(await attempt(decomposed))
  assert.ok(await attempt(decomposed.normalize('NFC')))
})

test('many first sign-ins at once on two replicas all succeed, and their sessions live', async () => {
  const user = await imported(fromElsewhere(rightPassword))
  const replicas = [opened.deps, opened.replica()]
  const all = await Promise.all(Array.from({ length: 8 }, (_, at) => signSomebodyIn(replicas[at % 2] ?? opened.deps, user)))
  for (const { refreshToken } of all) assert.ok((await refresh(opened.deps, refreshToken)).accessToken)
  assert.equal((await credentialOf(user.id))?.version, 1)
  assert.match((await credentialOf(user.id))?.password_hash ?? '', /^\$argon2id/)
})

test('parameters that rose reach everybody who signs in, and none that fell', async () => {
  const user = await somebody(opened)
  const dear = { ...opened.deps, hashing: createHashPool({ parameters: { memoryKib: 19_456, passes: 3 } }) }
  await signSomebodyIn(dear, user)
  const raised = (await credentialOf(user.id))?.password_hash
  assert.match(raised ?? '', /\$m=19456,t=3,p=1\$/)
  await signSomebodyIn(opened.deps, user)
  assert.equal((await credentialOf(user.id))?.password_hash, raised)
})

test('nobody is kept out because there was no room for a better hash', async () => {
  const user = await imported(fromElsewhere(rightPassword))
  const full = { ...opened.deps.hashing, hash: () => Promise.reject(new Refusal({ reason: 'OVERLOADED' } as never)) }
  assert.ok(await signSomebodyIn({ ...opened.deps, hashing: full }, user))
  assert.match((await credentialOf(user.id))?.password_hash ?? '', /^\$pbkdf2/)
})

test('every replica gets to know the kinds that are about, and forgets them with their last hash', async () => {
  const kind = readHash(fromElsewhere('x'))?.kind ?? ''
  const user = await imported(fromElsewhere(rightPassword))
  await notePasswordKinds(opened.deps.db, [kind], new Date(opened.deps.now()))
  const replica = { ...opened.replica(), hashing: createHashPool() }
  await followKinds(replica)
  assert.ok(replica.hashing.pace.kinds.has(kind))
  assert.ok(replica.hashing.pace.refusalMs > 0)
  opened.pass(90_000)
  await followKinds(replica)
  assert.ok((await listPasswordKinds(opened.deps.db)).some((each) => each.kind === kind))
  await opened.deps.db.deleteFrom('credentials').where('password_hash', 'like', '$pbkdf2%').execute()
  opened.pass(90_000)
  await followKinds(replica)
  await followKinds(replica)
  assert.equal(replica.hashing.pace.kinds.has(kind), false)
  assert.ok(user)
})
