import { setTimeout as delay } from 'node:timers/promises'
import { roleOf, serviceNames } from '@gatehouse/local'
import { type Fault, freeze } from '@gatehouse/testkit'
import pg from 'pg'
import type { Constellation } from './constellation.ts'

/** A bad day of the database: it begins, lasts, and ends. */
export type DatabaseDay = (house: Constellation, ms: number) => Promise<void>

/** By name. */
export const databaseDays: Readonly<
  Record<'restarted' | 'stalled' | 'silent' | 'slow' | 'dripping' | 'cut' | 'without connections', DatabaseDay>
> = {
  async restarted({ servers, history }, ms) {
    history.fault(`postgres down for ${ms} ms`)
    await servers.stop('postgres')
    await delay(ms)
    await servers.start('postgres')
  },
  async stalled({ servers, history }, ms) {
    history.fault(`postgres frozen for ${ms} ms`)
    await using _ = await freeze(servers.postgres.pid)
    await delay(ms)
  },
  silent: (house, ms) => onAllLinks(house, { kind: 'blackhole' }, ms),
  // A second each way: two for every round trip.
  slow: (house, ms) => onAllLinks(house, { kind: 'latency', ms: 1_000 }, ms),
  dripping: (house, ms) => onAllLinks(house, { kind: 'drip', bytesPerSecond: 400 }, ms),
  async cut({ links }) {
    for (const link of links.matching(/→postgres$/)) links.cut(link)
  },
  async 'without connections'({ servers, history }, ms) {
    history.fault(`postgres without connections for ${ms} ms`)
    const roles = serviceNames.map(roleOf)
    const client = new pg.Client(servers.postgres.url)
    await client.connect()
    try {
      for (const role of roles) await client.query(`alter role ${role} connection limit 0`)
      await client.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = any($1)', [roles])
      await delay(ms)
      for (const role of roles) await client.query(`alter role ${role} connection limit -1`)
    } finally {
      await client.end()
    }
  },
}

async function onAllLinks({ links }: Constellation, fault: Fault, ms: number): Promise<void> {
  const all = links.matching(/→postgres$/)
  await Promise.all(all.map((link) => links.set(link, fault)))
  await delay(ms)
  await links.heal(...all)
}
