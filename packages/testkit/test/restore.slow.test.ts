import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { allPublished } from './as-superuser.ts'
import { type House, openHouse, until } from './house.ts'
import { operate } from './operate.ts'
import { RestoredByThePage } from './restored.ts'

let house: House
let folder: string
let cluster: RestoredByThePage
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-restore-'))
  // As root, Postgres runs as somebody else, who has to get to the backups.
  await chmod(folder, 0o755)
  // With all that a power cut needs: without it Postgres writes no log that could be archived.
  house = await openHouse({ folder: join(folder, 'house'), durable: true })
  const dataDir = join(folder, 'house', 'postgres')
  cluster = new RestoredByThePage({ url: house.local.postgresUrl, dataDir, backups: join(folder, 'backups') })
})
after(async () => {
  await house[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const services = ['user', 'auth', 'notification'] as const
const published = () => allPublished(house.local.postgresUrl)

const invite = async (email: string): Promise<string> => {
  const token = await house.adminToken()
  const { status, body } = await house.call('/api/users', { name: 'Somebody', email }, { token })
  assert.equal(status, 201)
  return body.id ?? ''
}
const suspend = async (id: string) =>
  assert.equal((await house.call(`/api/users/${id}:suspend`, {}, { token: await house.adminToken() })).status, 200)
const isThere = async (id: string) => (await house.call(`/api/users/${id}`, undefined, { token: await house.adminToken() })).status
const isGood = async ({ accessToken }: { accessToken: string }) =>
  (await house.call('UserService/GetCurrentUser', {}, { token: accessToken })).status
const signIn = async ({ email, password }: { email: string; password: string }) =>
  (await house.call('SessionService/SignIn', { email, password })).status
const refresh = async ({ refreshToken }: { refreshToken: string }) =>
  (await house.call('SessionService/RefreshSession', { refreshToken })).status

test('restored onto an empty cluster by the lines of the page: people sign in, the revoked stay revoked, events resume', async () => {
  const { local } = house
  await cluster.archive()
  const keeper = await house.person('keeper@example.com')
  const [before, since] = [await house.person('before@example.com'), await house.person('since@example.com')]
  await suspend(before.userId)
  await local.interrupt('postgres')
  await until('Postgres to be back', async () => (await isGood(keeper)) === 200)
  await cluster.takeBaseBackup()

  // After the base backup and before the moment: in the archived log alone.
  const late = await invite('late@example.com')
  await house.mailTo('late@example.com')
  await suspend(since.userId)
  await until('the suspended to be out', async () => (await isGood(since)) === 401)
  await local.stopService('notification')
  await invite('owed@example.com')
  await until('what is owed to be published', async () => await published())
  await local.interrupt('nats', async () => {
    await invite('waiting@example.com')
    await cluster.name('the moment')
  })

  // After the moment: what was owed is done, and somebody comes; all of it is lost.
  await local.startService('notification')
  const lost = await invite('lost@example.com')
  for (const who of ['owed', 'waiting', 'lost']) await house.mailTo(`${who}@example.com`)
  for (const service of services) await local.stopService(service, 'kill')
  const mailsBefore = new Set(local.mailbox.messages)
  await local.interrupt('postgres', async () => {
    await cluster.restore('the moment')
    await local.interrupt('nats', () => rm(join(folder, 'house', 'nats'), { recursive: true }))
  })
  await cluster.restored()
  await Promise.all(services.map((service) => local.startService(service)))
  for (const service of services) await operate(local, service, 'outbox replay', '--stream')

  await until('auth to know user', async () => (await signIn(keeper)) === 200)
  assert.deepEqual([await isGood(keeper), await refresh(keeper)], [200, 200])
  for (const revoked of [before, since])
    assert.deepEqual([await isGood(revoked), await refresh(revoked), await signIn(revoked)], [401, 401, 401], revoked.email)
  assert.deepEqual([await isThere(late), await isThere(lost)], [200, 404])

  // What the restored database does not know is done, once; what it knows is not done again; what it never had does not come.
  const told = () => local.mailbox.messages.filter((mail) => !mailsBefore.has(mail)).flatMap(({ to }) => to)
  // The keeper is asked about the sign-in above, which came from no device that they are known by.
  const expected = ['keeper@example.com', 'owed@example.com', 'waiting@example.com']
  await until('what is owed to be done', () => expected.every((address) => told().includes(address)))
  await until('nothing to wait', async () => await published())
  for (const service of services) await until('all to be well', async () => (await operate(local, service, 'doctor')).failure === undefined)
  assert.deepEqual(told().sort(), expected)

  // Whoever cannot say what was ended after the moment ends everything.
  await cluster.endAllSessions()
  assert.deepEqual([await refresh(keeper), await signIn(keeper)], [401, 200])
})
