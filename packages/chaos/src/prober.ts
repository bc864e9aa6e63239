import { setTimeout as delay } from 'node:timers/promises'
import { connectGatehouse } from '@gatehouse/client'
import type { Constellation } from './constellation.ts'
import { type Outcome, outcomeOf } from './outcome.ts'
import { settle } from './settle.ts'

/** One call of the prober, as its caller saw it. */
export interface Probe {
  readonly kind: 'read' | 'update' | 'verify'
  /** Milliseconds of the process. */
  readonly began: number
  readonly ms: number
  readonly outcome: Outcome
}

/** Calls at an even rate whatever becomes of them, through the published client with its retries. */
export interface Prober extends AsyncDisposable {
  readonly probes: readonly Probe[]
  /** Refreshes what the calls are made with; only while everything works. */
  renew(): Promise<void>
  /** No more calls are made; settles when those under way have ended. */
  stop(): Promise<void>
}

export interface ProberOptions {
  readonly readsPerSecond: number
  readonly updatesPerSecond: number
  readonly verificationsPerSecond: number
}

const timeoutMs = 5_000
/** Of the ten minutes for which they are good; a day takes a minute. */
const tokensKeptMs = 4 * 60_000

/**
 * Reads and updates need the database. A verification needs none: somebody's good token asks for what they may not see, and is told so once it was
 * found good.
 */
export async function startProber(house: Constellation, options: ProberOptions): Promise<Prober> {
  await using opening = new AsyncDisposableStack()
  const origin = `http://127.0.0.1:${house.links.at('web→auth').port}`
  const { users } = opening.use(await connectGatehouse({ origin, userUrl: house.links.urlOf('client', 'user') }))
  const probes: Probe[] = []
  const under = new Set<Promise<void>>()
  let tokens = { administrator: '', person: '' }
  let count = 0
  let stopped = false

  const as = (token: string) => ({ headers: { authorization: `Bearer ${token}` }, timeoutMs })
  let renewed = Number.NEGATIVE_INFINITY
  const renew = async (): Promise<void> => {
    if (performance.now() - renewed < tokensKeptMs) return
    renewed = performance.now()
    const administrator = await house.adminToken()
    const made = await house.gatehouse('auth', ['dev', 'person', `prober-${house.random.seed}-${count++}@chaos.example`])
    tokens = { administrator, person: String((JSON.parse(made) as { access_token: string }).access_token) }
  }
  await renew()
  const read = await Promise.all(
    Array.from({ length: 20 }, async (_, i) => {
      const email = `probed-${house.random.seed}-${i}@chaos.example`
      return (await users.createUser({ email, name: email, requestId: house.random.uuid() }, as(tokens.administrator))).user?.id ?? ''
    }),
  )
  // Whoever is told of these people asks about them: that is over before anything is counted.
  await settle(house)
  const calls: Readonly<Record<Probe['kind'], (n: number) => Promise<unknown>>> = {
    read: (n) => users.getUser({ id: read[n % read.length] ?? '' }, as(tokens.administrator)),
    update: (n) => users.updateUser({ id: read[n % read.length] ?? '', name: `Probed ${n}` }, as(tokens.administrator)),
    verify: () => users.listUsers({}, as(tokens.person)),
  }

  const probe = async (kind: Probe['kind'], n: number): Promise<void> => {
    const answered = house.history.invoke({ worker: 'prober', op: `probe-${kind}`, id: `${kind} ${n}`, args: {} })
    const began = performance.now()
    const outcome = await calls[kind](n).then((): Outcome => ({ kind: 'done', result: {} }), outcomeOf)
    answered(outcome)
    probes.push({ kind, began, ms: performance.now() - began, outcome })
  }
  const run = async (kind: Probe['kind'], perSecond: number): Promise<void> => {
    const start = performance.now()
    for (let n = 0; !stopped; n++) {
      await delay(Math.max(0, start + (n * 1_000) / perSecond - performance.now()))
      const call = probe(kind, n).then(() => void under.delete(call))
      under.add(call)
    }
  }
  const running = Promise.all([
    run('read', options.readsPerSecond),
    run('update', options.updatesPerSecond),
    run('verify', options.verificationsPerSecond),
  ])
  const stop = async (): Promise<void> => {
    stopped = true
    await running
    await Promise.all(under)
  }
  const owned = opening.move()
  return {
    probes,
    renew,
    stop,
    async [Symbol.asyncDispose]() {
      await stop()
      await owned.disposeAsync()
    },
  }
}
