import { randomUUID } from 'node:crypto'
import { macKeys } from '@gatehouse/rpc'
import { browserCookie } from '../../../../services/auth/src/core/oidc/sessions/browser-cookie.ts'
import { keepAside } from '../aside.ts'
import type { Bench, Benchmark, Finding } from '../benchmark.ts'
import { type Child, cores, startChild } from '../child.ts'
import type { LoadOrder } from '../load/closed-loop.ts'
import type { BareProviderActs } from '../programs/bare-oidc-provider.ts'
import type { CodeClientActs } from '../programs/code-client.ts'
import { sendForm } from '../programs/send-form.ts'
import { measuredReplica, type Replica } from '../replica.ts'
import { alternate } from '../rounds.ts'
import { signedInPeople } from '../signed-in-people.ts'
import { ratioOf, spreadOf } from '../statistics.ts'
import { cpuOf, type Side, type Turn } from '../turn.ts'
import { processorOf, race } from './race.ts'

const connections = 64
const resource = 'urn:bench'
const redirectUri = 'https://rp.bench.example/callback'
const keycloak = { name: 'Keycloak, as published for one vCPU', figure: { low: 120, median: 120, high: 120 } }

interface ClientAt {
  readonly port: number
  readonly host: string
  readonly prefix: string
  readonly id: string
  readonly secret: string
}

interface Scene extends AsyncDisposable {
  readonly auth: Replica
  readonly bare: Child<BareProviderActs>
  readonly ours: ClientAt
  readonly theirs: ClientAt
}

/** Other programs' sign-in, beside the library that speaks it for us, with nothing behind it. */
export const openIdConnect: Benchmark = {
  name: 'oidc',
  about:
    'OpenID Connect for other programs, one replica of auth on one core, everything in Postgres, beside the bare library `oidc-provider` with its store in memory and one client',
  async run(bench) {
    await using scene = await openScene(bench)
    return [...(await clientCredentials(bench, scene)), ...(await introspection(bench, scene)), await codes(bench, scene)]
  },
}

async function openScene(bench: Bench): Promise<Scene> {
  const { local } = await bench.house()
  await using opening = new AsyncDisposableStack()
  opening.use(await keepAside(local))
  const id = `bench-${randomUUID().slice(0, 8)}`
  // A run finds it there where another did before.
  await local.gatehouse('auth', 'resources', 'add', resource, '--audience', 'bench-api', '--scopes', 'read').catch(() => undefined)
  const settings = {
    name: 'Bench',
    kind: 'CLIENT_KIND_WEB',
    firstParty: true,
    redirectUris: [redirectUri],
    grantTypes: ['CLIENT_GRANT_TYPE_AUTHORIZATION_CODE', 'CLIENT_GRANT_TYPE_REFRESH_TOKEN', 'CLIENT_GRANT_TYPE_CLIENT_CREDENTIALS'],
    authMethod: 'CLIENT_AUTH_METHOD_CLIENT_SECRET_BASIC',
    resources: [resource],
  }
  const secret = (await local.gatehouse('auth', 'clients', 'create', id, JSON.stringify(settings))).trim()
  const auth = opening.use(await measuredReplica(bench, local, 'auth'))
  const bare = opening.use(await startChild<BareProviderActs>('bare-oidc-provider', cores.server))
  const port = await bare.call('listen', { id, secret })
  const owned = opening.move()
  return {
    auth,
    bare,
    ours: { port: auth.ports.web, host: new URL(local.origin).host, prefix: '/oidc', id, secret },
    theirs: { port, host: `127.0.0.1:${port}`, prefix: '', id, secret },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function clientCredentials(bench: Bench, { auth, bare, ours, theirs }: Scene): Promise<Finding[]> {
  const form = (more: Record<string, string>) => String(new URLSearchParams({ grant_type: 'client_credentials', ...more }))
  const [signed, opaque] = [form({ resource, scope: 'read' }), form({})]
  const calls = (body: string, holds: string) => [{ request: Buffer.from(body), answer: Buffer.alloc(0), holds: [Buffer.from(holds)] }]
  const results = await race(bench, {
    'a JWT': sideOf(ours, '/token', calls(signed, '"access_token":"ey'), auth.cpuSeconds),
    'a JWT, bare': sideOf(theirs, '/token', calls(signed, '"access_token":"ey'), cpuOf(bare)),
    opaque: sideOf(ours, '/token', calls(opaque, '"access_token":"goa_'), auth.cpuSeconds),
  })
  const [jwt, bareJwt, kept] = [results['a JWT'], results['a JWT, bare'], results.opaque]
  return [
    {
      name: 'oidc',
      what: 'client credentials for a JWT',
      figure: spreadOf(rates(jwt)),
      unit: 'grants/s',
      against: { name: 'bare oidc-provider, in memory', figure: spreadOf(rates(bareJwt)) },
      ratio: ratioOf(rates(jwt), rates(bareJwt)),
      goal: { of: 'ratio', least: 0.6 },
      conditions: { connections, ...processorOf(jwt, bareJwt) },
    },
    {
      name: 'oidc',
      what: 'client credentials for a token that is looked up, each kept in Postgres',
      figure: spreadOf(rates(kept)),
      unit: 'grants/s',
      against: keycloak,
      goal: { of: 'figure', least: 1200 },
      conditions: { connections, cpu_micros_a_call: cpuMicros(kept) },
    },
  ]
}

async function introspection(bench: Bench, { auth, bare, ours, theirs }: Scene): Promise<Finding[]> {
  const count = bench.effort.name === 'smoke' ? 8 : 256
  const [jwts, opaques, bares] = [
    await plansOf(ours, count, { resource, scope: 'read' }),
    await plansOf(ours, count, {}),
    await plansOf(theirs, count, {}),
  ]
  const results = await race(bench, {
    'a JWT': sideOf(ours, '/token/introspection', jwts, auth.cpuSeconds),
    opaque: sideOf(ours, '/token/introspection', opaques, auth.cpuSeconds),
    'opaque, bare': sideOf(theirs, '/token/introspection', bares, cpuOf(bare)),
  })
  const floor = results['opaque, bare']
  const row = (what: string, turns: readonly Turn[]): Finding => ({
    name: 'oidc',
    what: `introspection of ${what}`,
    figure: spreadOf(rates(turns)),
    unit: 'calls/s',
    against: { name: 'bare oidc-provider, in memory, of tokens that are looked up', figure: spreadOf(rates(floor)) },
    ratio: ratioOf(rates(turns), rates(floor)),
    goal: { of: 'figure', least: 8000 },
    conditions: { connections, tokens: count, ...processorOf(turns, floor) },
  })
  return [row('a JWT', results['a JWT']), row('a token that is looked up', results.opaque)]
}

/** So many tokens, and what is answered of each. */
async function plansOf(client: ClientAt, count: number, more: Record<string, string>): Promise<LoadOrder['calls']> {
  return await Promise.all(
    Array.from({ length: count }, async () => {
      const { access_token: token } = JSON.parse(await post(client, '/token', { grant_type: 'client_credentials', ...more })) as {
        access_token: string
      }
      const answer = await post(client, '/token/introspection', { token })
      if (!answer.includes('"active":true')) throw new Error(`a token is not active: ${answer}`)
      return { request: Buffer.from(String(new URLSearchParams({ token }))), answer: Buffer.from(answer) }
    }),
  )
}

async function codes(bench: Bench, { auth, ours }: Scene): Promise<Finding> {
  const { local } = await bench.house()
  const people = await signedInPeople(local, bench.effort.name === 'smoke' ? 8 : 512)
  const challengeKeys = macKeys(local.environment('auth').AUTH_CHALLENGE_KEY ?? '')
  const cookies = people.map(({ sessionId }) => browserCookie({ challengeKeys }, 'default', sessionId, 0))
  await using browser = await startChild<CodeClientActs>('code-client', cores.client)
  const client = { id: ours.id, secret: ours.secret, redirectUri }
  const inFlight = 32
  const spent: number[] = []
  const { gatehouse } = await alternate(bench.effort, {
    async gatehouse(seconds: number) {
      const before = await auth.cpuSeconds()
      const perSecond = await browser.call('run', { web: ours.port, host: ours.host, client, cookies, seconds, inFlight })
      spent.push(((await auth.cpuSeconds()) - before) / (perSecond * seconds))
      return perSecond
    },
  })
  return {
    name: 'oidc',
    what: 'a code from its request to its tokens, of somebody who is signed in',
    figure: spreadOf(gatehouse),
    unit: 'codes/s',
    against: keycloak,
    goal: { of: 'figure', least: 120 },
    conditions: { in_flight: inFlight, cpu_micros_a_code: Math.round(spreadOf(spent).median * 1e6) },
  }
}

function sideOf(client: ClientAt, path: string, calls: LoadOrder['calls'], cpuSeconds: Side['cpuSeconds']): Side {
  const headers = Object.entries(headersOf(client))
  return {
    protocol: 'http',
    order: async () => ({ port: client.port, path: client.prefix + path, headers, calls, inFlight: connections, connections }),
    cpuSeconds,
  }
}

function headersOf({ host, id, secret }: ClientAt): Record<string, string> {
  return { host, authorization: `Basic ${btoa(`${id}:${secret}`)}`, 'content-type': 'application/x-www-form-urlencoded' }
}

const rates = (turns: readonly Turn[]) => turns.map(({ perSecond }) => perSecond)
const cpuMicros = (turns: readonly Turn[]) => Math.round(spreadOf(turns.map((turn) => turn.cpuMicros)).median)

async function post(client: ClientAt, path: string, form: Record<string, string>): Promise<string> {
  const { status, text } = await sendForm(client.port, client.prefix + path, headersOf(client), form)
  if (status !== 200) throw new Error(`${path} answered ${status} ${text}`)
  return text
}
