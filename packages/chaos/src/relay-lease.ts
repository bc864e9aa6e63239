import { setTimeout as delay } from 'node:timers/promises'
import { roleOf, type ServiceName } from '@gatehouse/local'
import type { Constellation } from './constellation.ts'
import type { Replica } from './replica.ts'

/** How often the lease of a service's relay has changed hands. */
export async function relayEpoch(house: Constellation, service: ServiceName): Promise<number> {
  const [row] = await house.sql<{ epoch: number }>(`select epoch::integer from ${roleOf(service)}.relay_lease`)
  return row?.epoch ?? 0
}

/** The replica that publishes now, told by what it says to the broker; any of those that are up while nothing is published. */
export async function relayHolder(house: Constellation, service: ServiceName): Promise<Replica> {
  const said = (replica: Replica) => house.links.at(`${replica.name}→nats`).usage.bytesUp
  const replicas = house.of(service)
  const before = replicas.map(said)
  await delay(150)
  const by = replicas.map((replica, i) => ({ replica, bytes: said(replica) - (before[i] ?? 0) }))
  return by.sort((a, b) => b.bytes - a.bytes)[0]?.replica as Replica
}
