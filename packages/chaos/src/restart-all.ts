import { setTimeout as delay } from 'node:timers/promises'
import { type ServiceName, serviceNames } from '@gatehouse/local'
import type { Constellation } from './constellation.ts'
import type { Random } from './random.ts'

/**
 * So long a replica has to be ready before the next one goes, as `minReadySeconds` of a deployment: a client whose connection was refused tries again
 * after two seconds at the most.
 */
const readyForMs = 3_000

/** Ends and starts every replica (or `each` of every service), one of each service at a time, with the code of their `tree`. */
export async function restartAll(house: Constellation, random: Random, each = Number.POSITIVE_INFINITY): Promise<void> {
  await Promise.all(serviceNames.map((service) => restartService(house, random, service, each)))
}

async function restartService(house: Constellation, random: Random, service: ServiceName, each: number): Promise<void> {
  const draw = random.fork(service)
  for (const replica of house.of(service).slice(0, each)) {
    await delay(draw.integer(50, 400))
    await replica.term()
    await replica.start()
    await delay(readyForMs)
  }
}
