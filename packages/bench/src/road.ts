import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventMigrations } from '@gatehouse/events'
import { startNats, startPostgres } from '@gatehouse/testkit'
import type { Effort } from './benchmark.ts'
import { makeMigratedDatabase } from './databases.ts'

/** What stands on both ends of the road that events take: two databases of a Postgres, and a broker. */
export interface Road extends AsyncDisposable {
  readonly writerUrl: string
  readonly readerUrl: string
  readonly natsUrl: string
}

/** Starts them, in a folder of their own. */
export async function openRoad({ durable }: Pick<Effort, 'durable'>): Promise<Road> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-road-'))
  await using opening = new AsyncDisposableStack()
  opening.defer(() => rm(folder, { recursive: true, force: true }))
  const postgres = opening.use(await startPostgres({ dataDir: join(folder, 'postgres'), durable, keep: false }))
  const nats = opening.use(await startNats({ storeDir: join(folder, 'nats'), streams: true }))
  const [writerUrl = '', readerUrl = ''] = await Promise.all(
    ['writer', 'reader'].map((name) => makeMigratedDatabase(postgres.url, name, [eventMigrations])),
  )
  const owned = opening.move()
  return { writerUrl, readerUrl, natsUrl: nats.url, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
