import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { roleOf, type ServiceName, serviceNames } from '@gatehouse/local'
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream'
import pg from 'pg'
import type { Constellation } from './constellation.ts'
import { connectBroker, gatehouseUrl } from './servers.ts'
import { shortenAckWait } from './short-waits.ts'
import { within } from './until.ts'

/** Stops the broker, lets something happen to its files, and starts it where it was. */
export async function whileBrokerIsDown({ servers, history }: Constellation, what: string, act: () => Promise<void>): Promise<void> {
  history.fault(`nats ${what}`)
  await servers.stop('nats')
  await act()
  await servers.start('nats')
}

const storeOf = ({ servers }: Constellation): string => join(servers.natsFolder, 'jetstream')
const copyOf = ({ folder }: Constellation): string => join(folder, 'old copy of jetstream')

export const wipeStore = (house: Constellation): Promise<void> => rm(storeOf(house), { recursive: true, force: true })

/** Only while the broker is down. */
export async function copyStore(house: Constellation): Promise<void> {
  await rm(copyOf(house), { recursive: true, force: true })
  await cp(storeOf(house), copyOf(house), { recursive: true })
}

/** Puts the copy in the place of the store; only while the broker is down. */
export async function rollStoreBack(house: Constellation): Promise<void> {
  await wipeStore(house)
  await cp(copyOf(house), storeOf(house), { recursive: true })
}

/** What an operator does for a broker that lost events. */
export async function replayAll(house: Constellation, since: Date): Promise<void> {
  for (const service of serviceNames) await house.gatehouse(service, ['outbox', 'replay', service, '--since', since.toISOString()])
  // Consumers that had to be made anew wait their full time again.
  await shortenAckWait(house.servers)
}

/** Runs something with the broker's own view of its streams. */
export async function asBroker<T>({ servers }: Constellation, act: (manager: JetStreamManager) => Promise<T>): Promise<T> {
  const connection = await connectBroker(servers)
  try {
    return await act(await jetstreamManager(connection))
  } finally {
    await connection.close()
  }
}

/** Whether all that waits in the outboxes now is published within the bound, whatever comes meanwhile. */
export async function drained(
  { servers }: Constellation,
  boundMs: number,
  services: readonly ServiceName[] = serviceNames,
): Promise<boolean> {
  const client = new pg.Client(gatehouseUrl(servers.postgres.url))
  await client.connect()
  try {
    const { rows: clock } = await client.query<{ now: string }>('select now()::text as now')
    return await within(boundMs, async () => {
      const counts = services.map(
        (name) => `(select count(*) from ${roleOf(name)}.outbox where published_time is null and create_time < $1)`,
      )
      const { rows } = await client.query<{ waiting: string }>(`select ${counts.join(' + ')} as waiting`, [clock[0]?.now])
      return Number(rows[0]?.waiting) === 0
    })
  } finally {
    await client.end()
  }
}
