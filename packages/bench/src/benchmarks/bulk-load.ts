import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Benchmark, Effort } from '../benchmark.ts'
import { cores, startChild } from '../child.ts'
import { linesOf } from '../crowd.ts'
import { importPeople } from '../import-people.ts'
import { importedColumns, openImportDatabase } from '../imported-people.ts'
import type { CopyBareActs } from '../programs/copy-bare.ts'
import { ratioOf, spreadOf } from '../statistics.ts'

const crowds: Readonly<Record<Effort['name'], number>> = { full: 1_000_000, quick: 40_000, smoke: 2_000 }
const rounds: Readonly<Record<Effort['name'], number>> = { full: 2, quick: 1, smoke: 1 }

/** How long it takes until a company's people are all here. */
export const bulkLoad: Benchmark = {
  name: 'bulk-load',
  about:
    '`gatehouse user import`, from its start to its end: lines read and checked by the contract, people and their events by COPY, batch by batch',
  alone: true,
  async run(bench) {
    const people = crowds[bench.effort.name]
    await using database = await openImportDatabase(bench.effort)
    await using bare = await startChild<CopyBareActs>('copy-bare', cores.client)
    const lines = join(database.folder, 'people.ndjson')
    const rows = join(database.folder, 'people.copy')
    await pipeline(Readable.from(linesOf(0, people)), createWriteStream(lines))
    const env = { DATABASE_URL: database.url, GATEHOUSE_MODE: 'test' }
    let sum: string | undefined
    const sides = {
      async gatehouse() {
        await database.empty()
        const began = performance.now()
        await importPeople(env, lines)
        const seconds = (performance.now() - began) / 1000
        const found = await database.count()
        sum ??= found.sum
        if (found.users !== people || found.events !== people || found.sum !== sum)
          throw new Error(`${people} people were to come with their events, and there are ${JSON.stringify(found)}`)
        return people / seconds
      },
      async bare() {
        await database.empty()
        const { seconds } = await bare.call('run', { databaseUrl: database.url, file: rows, columns: importedColumns })
        const found = await database.count()
        if (found.users !== people || found.sum !== sum) throw new Error(`the bare COPY brought ${JSON.stringify(found)}`)
        return people / seconds
      },
    }
    const results = { gatehouse: [await sides.gatehouse()], bare: [] as number[] }
    // The same rows, as the import has written them.
    await database.write(rows)
    results.bare.push(await sides.bare())
    for (let round = 1; round < rounds[bench.effort.name]; round++) {
      results.bare.push(await sides.bare())
      results.gatehouse.push(await sides.gatehouse())
    }
    const conditions = { people, rounds: results.bare.length }
    return [
      {
        name: 'bulk-load',
        what: 'people with their events',
        figure: spreadOf(results.gatehouse),
        unit: 'people/s',
        against: { name: 'bare COPY of the same people, without events', figure: spreadOf(results.bare) },
        ratio: ratioOf(results.gatehouse, results.bare),
        goal: { of: 'ratio', least: 0.3 },
        conditions,
      },
      {
        name: 'bulk-load',
        what: 'a million people',
        figure: spreadOf(results.gatehouse.map((perSecond) => 1_000_000 / perSecond)),
        unit: 's',
        goal: { of: 'figure', most: 60 },
        conditions,
      },
    ]
  },
}
