import { once } from 'node:events'
import { open } from 'node:fs/promises'
import pg from 'pg'
import { from } from 'pg-copy-streams'
import { answerParent, type CommonActs } from './answer-parent.ts'

/** COPY as one would write it who has the rows ready. */
export interface CopyBareActs extends CommonActs {
  /** Loads a file in COPY's text format; answers seconds and rows. */
  run(order: { databaseUrl: string; file: string; columns: readonly string[] }): Promise<{ seconds: number; rows: number }>
}

answerParent<Omit<CopyBareActs, 'usage'>>({
  async run({ databaseUrl, file, columns }) {
    const client = new pg.Client(databaseUrl)
    await client.connect()
    await using input = await open(file)
    try {
      const began = performance.now()
      const stream = client.query(from(`copy users (${columns.join(', ')}) from stdin`))
      const finished = once(stream, 'finish')
      for await (const piece of input.createReadStream({ highWaterMark: 1 << 16 })) if (!stream.write(piece)) await once(stream, 'drain')
      stream.end()
      await finished
      return { seconds: (performance.now() - began) / 1000, rows: stream.rowCount }
    } finally {
      await client.end()
    }
  },
})
