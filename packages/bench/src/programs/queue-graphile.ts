import { setTimeout as delay } from 'node:timers/promises'
import { Logger, makeWorkerUtils, run, type WorkerUtils } from 'graphile-worker'
import pg from 'pg'
import { answerParent } from './answer-parent.ts'
import { EachOnce } from './each-once.ts'
import type { QueueActs } from './queue-acts.ts'

// What its own performance page measures with: https://worker.graphile.org/docs/performance
const batching = { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 }
const concurrentJobs = 24
const filledAtOnce = 5_000

let pool: pg.Pool | undefined
let utils: WorkerUtils | undefined

answerParent<Omit<QueueActs, 'usage'>>({
  async open({ databaseUrl, connections }) {
    pool = new pg.Pool({ connectionString: databaseUrl, max: connections })
    // Those of a pool and of its idle clients, which otherwise end the process; graphile-worker asks for both.
    pool.on('error', () => {})
    pool.on('connect', (client) => void client.on('error', () => {}))
    utils = await makeWorkerUtils({ pgPool: pool })
    await utils.migrate()
  },
  async enqueue({ jobs, lanes }) {
    const began = performance.now()
    let next = 0
    const lane = async (): Promise<void> => {
      while (next++ < jobs) await utils?.addJob('mail', { title: 'News', text: 'Hello' })
    }
    await Promise.all(Array.from({ length: lanes }, lane))
    return (jobs * 1000) / (performance.now() - began)
  },
  async fill(jobs) {
    const mail = { identifier: 'mail', payload: { title: 'News', text: 'Hello' } }
    // Each call looks through the whole backlog for its keys, so that to add one after the other takes minutes.
    for (let left = jobs; left > 0; left -= filledAtOnce)
      await utils?.addJobs(Array.from({ length: Math.min(left, filledAtOnce) }, () => mail))
    await pool?.query('analyze graphile_worker._private_jobs')
  },
  async process({ jobs }) {
    if (!pool) throw new Error('not open')
    const done = new EachOnce(jobs)
    const { promise: allDone, resolve } = Promise.withResolvers<void>()
    let began = Number.NaN
    const runner = await run({
      pgPool: pool,
      noHandleSignals: true,
      parsedCronItems: [],
      logger: new Logger(() => () => undefined),
      preset: { worker: { ...batching, concurrentJobs } },
      taskList: {
        async mail(_, { job }) {
          began = Number.isNaN(began) ? performance.now() : began
          done.add(String(job.id))
          if (done.complete) resolve()
        },
      },
    })
    await allDone
    // The last batch of completions is still on its way.
    while ((await jobsLeft(pool)) > 0) await delay(1)
    const ended = performance.now()
    await runner.stop()
    return done.perSecond(ended - began)
  },
  async clear() {
    await pool?.query('truncate graphile_worker._private_jobs')
  },
})

async function jobsLeft(from: pg.Pool): Promise<number> {
  const { rows } = await from.query<{ left: number }>('select count(*)::int as left from graphile_worker._private_jobs')
  return rows[0]?.left ?? Number.NaN
}
