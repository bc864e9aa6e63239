import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { root as checkout, freePorts } from '@gatehouse/local'
import { type OwnedProcess, startOwned } from '@gatehouse/testkit'
import { firstSecrets } from '../src/first-secrets.ts'
import { makeAuthority } from './certificates.ts'
import { makeCluster } from './cluster.ts'
import { openNats, openPostgres, openRelay, psql } from './dependencies.ts'
import { type Cluster, environmentOf, type Instead, mountVolumes, type PodSpec, podOf } from './pod.ts'

const services = ['user', 'auth', 'notification'] as const
type Service = (typeof services)[number]

const parts = new AsyncDisposableStack()
after(() => parts.disposeAsync())

let folder: string
let ports: Awaited<ReturnType<typeof freePorts>>
let cluster: Cluster
let places: Readonly<Record<string, string>>
let mails: readonly string[]
const pods = new Map<Service, OwnedProcess>()

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-pods-'))
  parts.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }))
  ports = await freePorts()
  const certificates = parts.use(await makeAuthority())
  const server = await openPostgres(folder, certificates, parts)
  const smtpPassword = randomBytes(24).toString('hex')
  // Free too, and taken by nobody here.
  const natsPort = ports.smtp
  // As `npm run first-secrets` prints them.
  const { mounted, rolesSql, natsAccounts } = await firstSecrets({
    postgres: `localhost:${server.port}`,
    nats: `localhost:${natsPort}`,
    smtpPassword,
  })
  await psql(server.url, rolesSql)
  await openNats(folder, natsPort, natsAccounts, certificates, parts)
  const relay = await openRelay(smtpPassword, certificates, parts)
  mails = relay.mails
  places = {
    'mail.example.com:587': relay.place,
    ...Object.fromEntries(services.map((name) => [`${name}-headless:9000`, `localhost:${ports.services[name].grpc}`])),
  }
  cluster = await makeCluster(mounted, certificates)
})

async function start(name: Service, kind: 'Deployment' | 'Job', program: string, pod: PodSpec): Promise<OwnedProcess> {
  const root = join(folder, `${name}-${kind}`)
  await mkdir(root)
  await mountVolumes(pod, root, cluster)
  const { grpc, web, metrics } = ports.services[name]
  const own: Instead = { root, places, ports: { GRPC_PORT: `${grpc}`, WEB_PORT: `${web}`, METRICS_PORT: `${metrics}` } }
  const args = pod.containers[0].args ?? [program]
  const inherited = { PATH: process.env.PATH, NODE_NO_WARNINGS: '1', NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE }
  return await startOwned({
    command: process.execPath,
    args,
    // What the image has at /app.
    cwd: checkout,
    // Of nats-server there is one here.
    env: { ...inherited, LISTEN_HOST: '127.0.0.1', ...environmentOf(pod, own), NATS_REPLICAS: '1' },
    stopSignal: 'SIGTERM',
    insistSignal: 'SIGKILL',
    graceMs: pod.terminationGracePeriodSeconds * 1000,
  })
}

async function probe(name: Service, path: string): Promise<number | undefined> {
  const answer = await fetch(`http://127.0.0.1:${ports.services[name].metrics}${path}`).catch(() => undefined)
  await answer?.body?.cancel()
  return answer?.status
}

async function until<T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (const end = performance.now() + 60_000; performance.now() < end; await delay(50)) {
    const seen = await look()
    if (seen !== undefined) return seen
  }
  throw new Error(
    `${what}: not within a minute\n${[...pods].map(([name, { lastLines }]) => `${name}:\n${lastLines.join('\n')}`).join('\n')}`,
  )
}

/** As the gateway calls a web door: it keeps the host that people see. */
function call(
  name: Service,
  rpc: string,
  body: object,
  more: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly body: Record<string, string> }> {
  return new Promise((resolve, reject) => {
    const headers = { host: 'id.example.com', 'content-type': 'application/json', 'x-forwarded-for': '203.0.113.7', ...more }
    request({ host: '127.0.0.1', port: ports.services[name].web, path: `/${rpc}`, method: 'POST', headers }, async (answer) => {
      let text = ''
      for await (const part of answer.setEncoding('utf8')) text += part
      resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text) as Record<string, string> })
    })
      .on('error', reject)
      .end(JSON.stringify(body))
  })
}

test('pods live and are not ready until the Job of their release has brought the schema up to date', async () => {
  for (const name of services)
    pods.set(name, parts.use(await start(name, 'Deployment', `services/${name}/src/main.ts`, await podOf(name, 'Deployment'))))
  for (const name of services) await until(`${name} lives`, async () => ((await probe(name, '/healthz')) === 200 ? true : undefined))
  assert.deepEqual(await Promise.all(services.map((name) => probe(name, '/readyz'))), [503, 503, 503])

  const jobs = await Promise.all(services.map(async (name) => start(name, 'Job', '', await podOf(name, 'Job'))))
  for (const job of jobs) {
    const end = await job.exited
    assert.equal(end.code, 0, end.lastLines.join('\n'))
  }
  for (const name of services) await until(`${name} is ready`, async () => ((await probe(name, '/readyz')) === 200 ? true : undefined))
})

test('a person signs up through the web doors: the pods prove themselves to each other by projected tokens, all over TLS', async () => {
  const person = { email: 'ada@example.com', password: 'correct horse battery staple!', name: 'Ada Lovelace' }
  const signUp = await call('auth', 'gatehouse.auth.v1.AccountService/SignUp', person)
  assert.equal(signUp.status, 200, JSON.stringify(signUp.body))
  // Over NATS to notification, which asks auth for the code and user for nobody yet, and by STARTTLS to the relay.
  const mail = await until('the mail comes', () => mails.find((each) => each.includes('ada@example.com')))
  const code = /^\s*(\d{6})\s*$/m.exec(mail)?.[1]
  assert.ok(code, mail)
  // Auth asks user to register the person.
  const verified = await call('auth', 'gatehouse.auth.v1.AccountService/VerifyEmail', { challengeId: signUp.body.challengeId, code })
  assert.equal(verified.status, 200, JSON.stringify(verified.body))
  const { accessToken } = verified.body.signedIn as unknown as { readonly accessToken: string }
  // User verifies the token by keys that it has from auth.
  const self = await call('user', 'gatehouse.user.v1.UserService/GetCurrentUser', {}, { authorization: `Bearer ${accessToken}` })
  assert.match(JSON.stringify(self.body), /Ada Lovelace/)
})

test('a pod ends within what is left of its grace after preStop', async () => {
  await Promise.all(
    services.map(async (name) => {
      const { terminationGracePeriodSeconds: grace, containers } = await podOf(name, 'Deployment')
      const left = (grace - containers[0].lifecycle.preStop.sleep.seconds) * 1000
      const began = performance.now()
      const { code, lastLines } = (await pods.get(name)?.stop()) ?? {}
      assert.deepEqual([code, performance.now() - began < left], [0, true], lastLines?.join('\n'))
    }),
  )
})
