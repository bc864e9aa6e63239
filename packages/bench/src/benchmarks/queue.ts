import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventMigrations } from '@gatehouse/events'
import { migrate, sharedMigrations } from '@gatehouse/postgres'
import { startPostgres } from '@gatehouse/testkit'
import pg from 'pg'
import { migrations } from '../../../../services/notification/src/store/migrations/index.ts'
import type { Benchmark, Goal } from '../benchmark.ts'
import { cores, startChild } from '../child.ts'
import { pin } from '../processes.ts'
import type { QueueActs } from '../programs/queue-acts.ts'
import { alternate } from '../rounds.ts'
import { ratioOf, spreadOf } from '../statistics.ts'

const connections = 10
/** About what the slower of the two does in a second. */
const enqueuedASecond = 700
const doneASecond = 15_000

/** The deliveries as a queue: rows that wait, are claimed under a lease and settled. */
export const queue: Benchmark = {
  name: 'queue',
  about:
    'mails added to the queue of deliveries, each in a commit of its own; and a backlog of them claimed, settled and told in the outbox, through the statements of the notification service, with nothing sent',
  async run(bench) {
    await using opening = new AsyncDisposableStack()
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-queue-'))
    opening.defer(() => rm(folder, { recursive: true, force: true }))
    const postgres = opening.use(await startPostgres({ dataDir: join(folder, 'postgres'), durable: bench.effort.durable, keep: false }))
    await pin(postgres.pid, cores.client)
    const sides = {
      gatehouse: opening.use(await startChild<QueueActs>('queue-deliveries', cores.server)),
      graphile: opening.use(await startChild<QueueActs>('queue-graphile', cores.server)),
    }
    const [ours, theirs] = await Promise.all(['deliveries', 'jobs'].map((name) => makeDatabase(postgres.url, name)))
    await migrate({ url: ours ?? '', schema: 'bench', sets: [sharedMigrations, eventMigrations, migrations] })
    await sides.gatehouse.call('open', { databaseUrl: ours ?? '', connections })
    await sides.graphile.call('open', { databaseUrl: theirs ?? '', connections })

    const turnOf = (side: keyof typeof sides) => async (seconds: number) => {
      const [few, many] = [jobsIn(seconds * enqueuedASecond), jobsIn(seconds * doneASecond)]
      await sides[side].call('clear')
      const added = await sides[side].call('enqueue', { jobs: few, lanes: connections })
      await sides[side].call('fill', many - few)
      return { added, done: await sides[side].call('process', { jobs: many }) }
    }
    const { rounds, seconds, warmUpSeconds } = bench.effort
    // Jobs are counted, not seconds: a long warm-up is many of them, and takes several times as long as it says.
    const effort = { rounds: Math.min(5, rounds), seconds: seconds / 2, warmUpSeconds: Math.min(0.5, warmUpSeconds / 5) }
    const results = await alternate(effort, { gatehouse: turnOf('gatehouse'), graphile: turnOf('graphile') })
    const row = (what: string, of: (turn: Turn) => number, peer: string, goal?: Goal) => {
      const [mine, others] = [results.gatehouse, results.graphile].map((turns) => turns.map(of))
      return {
        name: 'queue',
        what,
        unit: 'jobs/s',
        figure: spreadOf(mine ?? []),
        against: { name: peer, figure: spreadOf(others ?? []) },
        ratio: ratioOf(mine ?? [], others ?? []),
        ...(goal && { goal }),
        conditions: {
          connections,
          added_one_by_one: jobsIn(effort.seconds * enqueuedASecond),
          done: jobsIn(effort.seconds * doneASecond),
        },
      }
    }
    const batching = 'graphile-worker with its local queue and batched completions'
    return [
      row('added, claimed and completed', wholeLife, batching, { of: 'ratio', least: 1 }),
      row('added, one by one', ({ added }) => added, 'graphile-worker addJob'),
      row('claimed and completed, of a backlog', ({ done }) => done, batching),
    ]
  },
}

interface Turn {
  readonly added: number
  readonly done: number
}

/** Jobs a second, where one process adds them and then does them. */
const wholeLife = ({ added, done }: Turn): number => 1 / (1 / added + 1 / done)

function jobsIn(count: number): number {
  return Math.max(200, Math.round(count))
}

async function makeDatabase(server: string, name: string): Promise<string> {
  const admin = new pg.Client(server)
  await admin.connect()
  try {
    await admin.query(`create database ${name}`)
    await admin.query(`alter database ${name} set search_path = bench, public`)
  } finally {
    await admin.end()
  }
  return Object.assign(new URL(server), { pathname: `/${name}` }).href
}
