import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { root } from '@gatehouse/local'
import { type PostgresServer, startPostgres } from '@gatehouse/testkit'
import { parse } from 'yaml'
import { type FirstSecrets, firstSecrets } from '../src/first-secrets.ts'
import { asAdmin, psql } from './dependencies.ts'

// Both ways of README.md to the logins of the services, on servers of their own: what the Secrets say opens.

const services = ['user', 'auth', 'notification']
const parts = new AsyncDisposableStack()
let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-logins-'))
  parts.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }))
})
after(() => parts.disposeAsync())

async function open(name: string): Promise<{ readonly server: PostgresServer; readonly made: FirstSecrets }> {
  const server = parts.use(await startPostgres({ dataDir: join(folder, name), durable: false, keep: false }))
  return { server, made: await firstSecrets({ postgres: `127.0.0.1:${server.port}`, plaintext: true }) }
}

const at = (server: PostgresServer, change: Partial<URL>): string => Object.assign(new URL(server.url), change).href

const urlIn = ({ mounted }: FirstSecrets, name: string): string =>
  mounted.find(({ metadata }) => metadata.name === name)?.stringData.DATABASE_URL ?? ''

/** What a migration does, and then what its service may of it, each as the Secrets have it. */
async function migrateAndAsk(made: FirstSecrets): Promise<void> {
  for (const service of services) {
    await asAdmin(urlIn(made, `${service}-migration`), async (migrator) => {
      const grants = `grant usage on schema gatehouse_${service} to gatehouse_${service}; grant select on tried to gatehouse_${service}`
      await migrator.query(`create table tried (); ${grants}`)
    })
    await asAdmin(urlIn(made, `${service}-secrets`), async (login) => {
      await login.query(`select from gatehouse_${service}.tried`)
      await assert.rejects(login.query('drop table tried'), { code: '42501' })
    })
  }
}

test('a Postgres of one’s own: the script, by somebody who may make roles and databases, and again where both are there', async () => {
  const { server, made } = await open('own')
  const password = randomBytes(12).toString('hex')
  await asAdmin(server.url, (superuser) => superuser.query(`create role administrator login createrole createdb password '${password}'`))
  const administrator = at(server, { username: 'administrator', password, pathname: '/postgres' })
  for (const _ of [1, 2]) await psql(administrator, made.rolesSql)
  await migrateAndAsk(made)
})

type Cluster = {
  readonly spec: {
    readonly bootstrap: {
      readonly initdb: {
        readonly database: string
        readonly owner: string
        readonly postInitApplicationSQLRefs: { readonly configMapRefs: readonly { readonly key: string }[] }
      }
    }
    readonly managed: {
      readonly roles: readonly {
        readonly name: string
        readonly inRoles?: readonly string[]
        readonly passwordSecret: { readonly name: string }
      }[]
    }
  }
}

test('an operator’s Postgres: what CloudNativePG makes of the cluster and the Secrets', async () => {
  const { server, made } = await open('operator')
  const text = await readFile(join(root, 'deploy/examples/cloudnative-pg/cluster.yaml'), 'utf8')
  const { bootstrap, managed } = (parse(text) as Cluster).spec
  const { database, owner, postInitApplicationSQLRefs: refs } = bootstrap.initdb
  await asAdmin(server.url, async (superuser) => {
    await superuser.query(`create role ${owner} login`)
    await superuser.query(`create database ${database} owner ${owner} template template0 encoding 'UTF8' locale 'C'`)
  })
  await asAdmin(at(server, { pathname: `/${database}` }), async (superuser) => {
    for (const { key } of refs.configMapRefs) await superuser.query(await readFile(join(root, 'deploy/postgres', key), 'utf8'))
    // Until the operator has been there nobody gets in.
    await assert.rejects(
      asAdmin(urlIn(made, 'user-secrets'), () => Promise.resolve()),
      { code: '28P01' },
    )
    for (const { name, inRoles = [], passwordSecret } of managed.roles) {
      const { username, password } = made.forOperator.find(({ metadata }) => metadata.name === passwordSecret.name)?.stringData ?? {}
      assert.equal(username, name)
      await superuser.query(`alter role ${name} login inherit password '${password}'`)
      for (const role of inRoles) await superuser.query(`grant ${role} to ${name}`)
    }
  })
  await migrateAndAsk(made)
})
