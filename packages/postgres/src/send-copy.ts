import { once } from 'node:events'
import type { PostgresQueryResult } from 'kysely'
import type pg from 'pg'
import { from } from 'pg-copy-streams'
import type { CopyRows } from './copy.ts'

/** Sends a `copy … from stdin` with its rows, as fast as the server takes them; settles when the server has answered. */
export async function sendCopy(
  client: pg.PoolClient,
  text: string,
  { chunks }: CopyRows,
): Promise<PostgresQueryResult<{ copied: number }>> {
  const stream = client.query(from(text))
  let failure: unknown
  const ended = new Promise<void>((resolve) => {
    stream.once('finish', resolve)
    // It speaks up again when it is torn down after an error of the server: only the first tells something.
    stream.on('error', (error) => {
      failure ??= error
      resolve()
    })
  })
  try {
    for (const chunk of chunks) {
      if (failure !== undefined) break
      if (!stream.write(chunk)) await Promise.race([once(stream, 'drain'), ended])
    }
  } catch (error) {
    // What makes the rows has failed: the server is told that no more come, and forgets those that came.
    stream.destroy(error instanceof Error ? error : new Error(String(error)))
    await ended
    throw error
  }
  if (failure === undefined) stream.end()
  await ended
  if (failure !== undefined) throw failure
  return { command: 'COPY' as PostgresQueryResult<never>['command'], rowCount: stream.rowCount, rows: [{ copied: stream.rowCount }] }
}
