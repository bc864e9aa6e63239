import { setTimeout as delay } from 'node:timers/promises'
import { type Client, createClient } from '@connectrpc/connect'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { createWorkloadSigner } from '@gatehouse/identity'
import { forTenant, peerTransport, reasonOf } from '@gatehouse/rpc'
import type { SignedInPerson } from '../signed-in-people.ts'
import { answerParent, type CommonActs } from './answer-parent.ts'

/** What makes a token bad: the end of the session, the suspension of the person, or a step-up, which leaves the tokens of the generation before behind. */
export type Ending = 'end' | 'suspend' | 'step-up'

export interface ProbeOrder {
  readonly ending: Ending
  readonly people: readonly SignedInPerson[]
  /** How many are under way at once. */
  readonly lanes: number
  readonly adminToken: string
  readonly password: string
}

export interface Probed {
  /** For each person and replica, the milliseconds from the acknowledged act to the answer of the last probe that was let in. */
  readonly waits: readonly number[]
  readonly probes: number
  /** Of one person at one replica. */
  readonly probesPerSecond: number
}

/** Whoever shows one token to several replicas, again and again, while it is made bad. It throws when one is let in that had been refused there. */
export interface RevocationProbeActs extends CommonActs {
  /** `host:port` of gRPC doors; the key file is that of the user service. */
  open(doors: { readonly users: readonly string[]; readonly auth: string; readonly keyFile: string }): Promise<void>
  probe(order: ProbeOrder): Promise<Probed>
}

const everyMs = 10
/** Looks before the act, so that the token is known, and after its first refusal. */
const [before, after] = [4, 4]
const boundMs = 30_000

let replicas: readonly Client<typeof UserService>[] = []
let sessions: Client<typeof SessionService>
let asUserService: Client<typeof SessionService>

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

answerParent<Omit<RevocationProbeActs, 'usage'>>({
  async open({ users, auth, keyFile }) {
    replicas = users.map((url) => createClient(UserService, peerTransport({ target: 'user', url })))
    sessions = createClient(SessionService, peerTransport({ target: 'auth', url: auth }))
    const signer = await createWorkloadSigner(keyFile)
    asUserService = createClient(SessionService, peerTransport({ target: 'auth', url: auth, signer }))
  },
  async probe(order) {
    const waits: number[] = []
    let [probes, probedMs, next] = [0, 0, 0]
    const lane = async () => {
      for (let person = order.people[next++]; person; person = order.people[next++]) {
        const watched = await watch(order, person)
        waits.push(...watched.map(({ wait }) => wait))
        for (const each of watched) [probes, probedMs] = [probes + each.probes, probedMs + each.ms]
      }
    }
    await Promise.all(Array.from({ length: order.lanes }, lane))
    return { waits, probes, probesPerSecond: Math.round((probes / probedMs) * 1000) }
  },
})

async function watch(order: ProbeOrder, person: SignedInPerson) {
  const refreshed = await patiently(() => sessions.refreshSession({ refreshToken: person.refreshToken }))
  const token = refreshed.signedIn?.accessToken ?? ''
  const shown = replicas.map(() => Promise.withResolvers<void>())
  const acknowledged = Promise.withResolvers<number>()
  acknowledged.promise.catch(() => {})
  const looking = Promise.all(
    replicas.map(async (users, at) => {
      const seen = await look(users, person, token, () => shown[at]?.resolve())
      return { ...seen, wait: Math.max(0, seen.lastLetIn - (await acknowledged.promise)) }
    }),
  )
  await Promise.race([Promise.all(shown.map(({ promise }) => promise)), looking])
  try {
    const twin = await act(order, person, token)
    acknowledged.resolve(performance.now())
    const seen = await looking
    // The session that was raised goes on, with its new token.
    if (twin !== undefined)
      for (const users of replicas) if (!(await isLetIn(users, person, twin))) throw new Error('the raised token is refused')
    return seen
  } catch (error) {
    acknowledged.reject(error)
    throw error
  }
}

/** Shows the token every ten milliseconds until it has been refused several times; `isKnown` is called when it was let in as often. */
async function look(users: Client<typeof UserService>, person: SignedInPerson, token: string, isKnown: () => void) {
  const began = performance.now()
  let [letIn, refused, lastLetIn, probes] = [0, 0, 0, 0]
  for (let due = began; refused < after; due += everyMs) {
    await delay(Math.max(0, due - performance.now()))
    due = Math.max(due, performance.now() - everyMs)
    probes++
    if (await isLetIn(users, person, token)) {
      if (refused > 0) throw new Error('a token was let in where it had been refused')
      lastLetIn = performance.now()
      if (++letIn === before) isKnown()
    } else if (letIn < before) throw new Error('a good token was refused')
    else refused++
    if (performance.now() - began > boundMs) throw new Error(`a token was still let in after ${boundMs} ms`)
  }
  return { lastLetIn, probes, ms: performance.now() - began }
}

async function isLetIn(users: Client<typeof UserService>, person: SignedInPerson, token: string): Promise<boolean> {
  try {
    const { user } = await users.getCurrentUser({}, bearer(token))
    if (user?.id !== person.userId) throw new Error(`the token of ${person.userId} was taken for ${user?.id}`)
    return true
  } catch (error) {
    if (reasonOf(error) === 'ACCESS_TOKEN_INVALID') return false
    throw error
  }
}

/** Makes the token bad; answers the token that takes its place, where there is one. */
async function act({ ending, adminToken, password }: ProbeOrder, person: SignedInPerson, token: string): Promise<string | undefined> {
  switch (ending) {
    case 'end':
      await patiently(() => asUserService.revokePersonSessions({ userId: person.userId }, forTenant('default')))
      return undefined
    case 'suspend':
      await replicas[0]?.suspendUser({ id: person.userId }, bearer(adminToken))
      return undefined
    case 'step-up': {
      const { nextStep } = await sessions.beginStepUp({}, bearer(token))
      const proof = { proof: { case: 'password', value: password } } as const
      const { result } = await sessions.completeStepUp({ continuation: nextStep?.continuation ?? '', proof }, bearer(token))
      if (result.case !== 'signedIn') throw new Error(`the step-up came to ${result.case}`)
      return result.value.accessToken
    }
  }
}

/** A replica of auth that ends meanwhile may cost a call, and no more than that: it is made again. */
async function patiently<T>(call: () => Promise<T>): Promise<T> {
  for (const end = performance.now() + boundMs; ; await delay(20)) {
    try {
      return await call()
    } catch (error) {
      if (reasonOf(error) !== 'DEPENDENCY_UNAVAILABLE' || performance.now() > end) throw error
    }
  }
}
