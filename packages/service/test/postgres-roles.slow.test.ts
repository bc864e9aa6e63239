import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type EventService, eventServices } from '@gatehouse/events/nats-rights'
import { connect } from '@gatehouse/postgres'
import { sql } from 'kysely'
import { checkPostgres } from '../src/doctor/check-postgres.ts'
import { type ManagedPostgres, managedPostgres, migrateAll, script } from './managed-postgres.ts'

const tableOf = { user: 'users', auth: 'sessions', notification: 'notifications' } as const
const logins = eventServices.flatMap((service) => ['a', 'b', 'migrator'].map((end) => `gatehouse_${service}_${end}`))

/** One database, whose owner may make roles and nothing else. */
async function oneDatabase(server: ManagedPostgres): Promise<(service: EventService) => string> {
  await server.customer('owner', 'nocreatedb createrole', ['gatehouse'])
  // Twice: whoever is not sure runs it again.
  for (const _ of [1, 2]) await server.run('owner', 'gatehouse', await script('roles.sql'), await script('schemas.sql'))
  for (const login of logins) await server.givePassword('owner', 'gatehouse', login)
  return () => 'gatehouse'
}

/** Three databases, whose owner may not even make roles: somebody who may did so before. */
async function threeDatabases(server: ManagedPostgres): Promise<(service: EventService) => string> {
  const databaseOf = (service: EventService): string => `${service}_database`
  await server.customer('administrator', 'nocreatedb createrole', ['administration'])
  await server.run('administrator', 'administration', await script('roles.sql'))
  for (const login of logins) await server.givePassword('administrator', 'administration', login)
  await server.customer('owner', 'nocreatedb nocreaterole', eventServices.map(databaseOf))
  for (const service of eventServices)
    await server.run('owner', databaseOf(service), `set gatehouse.services = '${service}'`, await script('schemas.sql'))
  return databaseOf
}

for (const [what, prepare] of Object.entries({
  'one database of an owner with CREATEROLE': oneDatabase,
  'three of an owner with nothing': threeDatabases,
})) {
  test(what, async (t) => {
    // Of three databases one shows what there is to show.
    const services = prepare === oneDatabase ? eventServices : (['user'] as const)
    const parts = new AsyncDisposableStack()
    let server: ManagedPostgres
    let databaseOf: (service: EventService) => string
    before(async () => {
      server = parts.use(await managedPostgres())
      databaseOf = await prepare(server)
      await migrateAll(services, (service) => server.url(`gatehouse_${service}_migrator`, databaseOf(service as EventService)))
    })
    after(() => parts.disposeAsync())
    const attempt = async (service: EventService, at: EventService, statement: string): Promise<string> => {
      try {
        await server.run(`gatehouse_${service}_a`, databaseOf(at), statement)
        return 'done'
      } catch (error) {
        return (error as { code?: string }).code ?? String(error)
      }
    }
    const refused = '42501'

    await t.test('each service has its rows, and nothing that defines them', async () => {
      for (const service of services) {
        const table = tableOf[service]
        assert.equal(
          await attempt(service, service, `select from ${table}; update ${table} set tenant = tenant; delete from ${table}`),
          'done',
        )
        for (const statement of [
          `alter table ${table} add column more text`,
          `drop table ${table}`,
          `truncate ${table}`,
          `create table gatehouse_${service}.mine ()`,
          'create table public.mine ()',
          'create schema mine',
          'create role mine',
          'create extension plpgsql',
        ])
          assert.notEqual(await attempt(service, service, statement), 'done', statement)
      }
      if (prepare === oneDatabase) assert.equal(await attempt('auth', 'auth', "update audit_entries set tenant = 'x'"), refused)
    })

    await t.test("no service reaches another's schema", async () => {
      for (const service of eventServices)
        for (const other of eventServices.filter((each) => each !== service)) {
          const table = `gatehouse_${other}.${tableOf[other]}`
          assert.equal(await attempt(service, other, `select from ${table}`), refused, `${service} reads ${table}`)
          assert.equal(await attempt(service, other, `set role gatehouse_${other}`), refused)
          if (services.includes(other as 'user')) assert.equal(await attempt(other, other, `select from ${table}`), 'done')
        }
    })

    await t.test('the doctor has nothing to say, and says so where somebody opened a door', async () => {
      const wrongs = async (service: EventService) => {
        const url = server.url(`gatehouse_${service}_b`, databaseOf(service))
        await using database = connect<unknown>({ url, poolSize: 1 })
        return (await checkPostgres(database.kysely, service, url)).filter(({ level }) => level === 'wrong').map((finding) => finding.what)
      }
      for (const service of services) assert.deepEqual(await wrongs(service), [])
      await server.run('owner', databaseOf('user'), 'create schema elsewhere', 'grant usage on schema elsewhere to gatehouse_user')
      assert.deepEqual(await wrongs('user'), ['the role gatehouse_user_b also reaches elsewhere'])
    })

    await t.test('a password is replaced and no call fails', async () => {
      const database = databaseOf('user')
      const maker = prepare === oneDatabase ? 'owner' : 'administrator'
      const place = prepare === oneDatabase ? 'gatehouse' : 'administration'
      const open = (role: string) => connect<unknown>({ url: server.url(role, database), poolSize: 2 })
      const replicas = [open('gatehouse_user_a'), open('gatehouse_user_a')]
      let [calls, ended] = [0, false]
      const call = async (at: number): Promise<void> => {
        while (!ended) {
          await sql`select from users limit 1`.execute((replicas[at] ?? assert.fail()).kysely)
          calls++
        }
      }
      const calling = Promise.all([call(0), call(1)])
      const more = async (): Promise<void> => {
        for (const until = calls + 200; calls < until; ) await new Promise((resolve) => setTimeout(resolve, 5))
      }
      await more()
      await server.givePassword(maker, place, 'gatehouse_user_b')
      for (const at of [0, 1]) {
        const old = replicas[at] ?? assert.fail()
        replicas[at] = open('gatehouse_user_b')
        await more()
        await old[Symbol.asyncDispose]()
      }
      await server.run(maker, place, 'alter role gatehouse_user_a password null')
      await more()
      ended = true
      await calling
      for (const replica of replicas) await replica[Symbol.asyncDispose]()
      await assert.rejects(server.run('gatehouse_user_a', database, 'select 1'), { code: '28P01' })
    })
  })
}
