import { setTimeout as delay } from 'node:timers/promises'
import { roleOf } from '@gatehouse/local'
import type { Violation } from '../checker/evidence.ts'
import type { Constellation } from '../constellation.ts'
import { perform } from '../perform.ts'
import type { Random } from '../random.ts'
import type { Worker } from '../workers/worker.ts'
import { type InboxReader, inboxReader } from './inbox-reader.ts'
import { revocationsReader } from './revocations-reader.ts'
import { type UsersReader, usersReader } from './users-reader.ts'

/** Readers of every stream that there is, and what has to hold of what they were told. */
export interface Audience extends AsyncDisposable {
  /** Makes something happen that they are told of. */
  readonly worker: Worker
  /** To be asked when everything has settled: what was missed, and what was told twice. */
  verdict(): Promise<readonly Violation[]>
}

const sentence = 'a stream that is taken up at its cursor misses nothing and tells nothing twice'
// A watch looks once a second at the least.
const lastLookMs = 5_000

/** Lets two people, a verifier and (where every replica knows WatchUsers) a keeper of a copy of all people read. */
export async function gather(house: Constellation, random: Random, { users = true } = {}): Promise<Audience> {
  await using opening = new AsyncDisposableStack()
  const emails = ['reader-0', 'reader-1'].map((name) => `${name}-${random.seed}@chaos.example`)
  const readers = await Promise.all(emails.map(async (email) => opening.use(await inboxReader(house, email))))
  const revocations = opening.use(await revocationsReader(house))
  const keeper = users ? opening.use(await usersReader(house)) : undefined
  const owned = opening.move()
  return {
    worker: {
      name: 'reader',
      async step() {
        const reader = random.pick(readers)
        const operation = { worker: 'reader', op: 'sign-in', id: random.uuid(), args: { userId: reader.userId } }
        await perform(operation, { history: house.history, random, givesUp: false }, async () => {
          const outcome = await reader.signIn()
          return outcome.kind === 'done' ? { kind: 'done', result: { ...outcome.result, userId: reader.userId } } : outcome
        })
      },
    },
    async verdict() {
      const found = (await Promise.all(readers.map((reader) => inboxProblems(house, reader)))).flat()
      const ended = await house.sql<{ session_id: string }>(`select session_id from ${roleOf('auth')}.revocations`)
      const told = () => new Set(revocations.told)
      await waitFor(() => ended.every(({ session_id }) => told().has(session_id)))
      // The watch of revocations goes back a little behind its cursor on purpose: a verifier's list is a set.
      for (const { session_id } of ended) if (!told().has(session_id)) found.push(`the end of session ${session_id} was never told`)
      if (keeper) found.push(...(await copyProblems(house, keeper)))
      return found.length === 0 ? [] : [{ rule: 'streams-resume', sentence, evidence: found.slice(0, 10) }]
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function inboxProblems(house: Constellation, { userId, inbox }: InboxReader): Promise<string[]> {
  const items = await house.sql<{ id: string }>(`select id from ${roleOf('notification')}.inbox_items where user_id = $1`, [userId])
  await waitFor(() => inbox.told.length >= items.length)
  const times = Map.groupBy(inbox.told, (id) => id)
  return [
    ...items.filter(({ id }) => !times.has(id)).map(({ id }) => `item ${id} of ${userId} was never told, in ${inbox.resumed + 1} streams`),
    ...[...times].filter(([, each]) => each.length > 1).map(([id, each]) => `item ${id} of ${userId} was told ${each.length} times`),
  ]
}

/** The same version may come twice, and several changes as one: what has to be right is the copy. */
async function copyProblems(house: Constellation, { copy, resumed }: UsersReader): Promise<string[]> {
  const people = await house.sql<{ id: string; version: number; state: string }>(
    `select id, version::integer, state from ${roleOf('user')}.users`,
  )
  const wrong = () => people.filter(({ id, version, state }) => copy.get(id)?.version !== version || copy.get(id)?.state !== state)
  await waitFor(() => wrong().length === 0)
  return wrong().map(
    ({ id, version, state }) =>
      `${id} is ${state} at version ${version}, and the copy has ${copy.get(id)?.state ?? 'nothing'} at ${copy.get(id)?.version ?? 'none'}, in ${resumed + 1} streams`,
  )
}

async function waitFor(holds: () => boolean): Promise<void> {
  for (const end = performance.now() + lastLookMs; performance.now() < end && !holds(); await delay(50));
}
