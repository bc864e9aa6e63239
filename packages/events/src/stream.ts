import { DiscardPolicy, JetStreamApiError, jetstreamManager, RetentionPolicy, StorageType, type StreamConfig } from '@nats-io/jetstream'
import { type NatsConnection, nanos } from '@nats-io/nats-core'
import { streamOf } from './nats-names.ts'

export type StreamSettings = {
  /** Copies in a cluster. Default 1. */
  readonly replicas?: number
  /** Beyond it the stream takes nothing new, and events wait in the outbox. Default 1 GiB. */
  readonly maxBytes?: number
  /** Default 7. */
  readonly maxAgeDays?: number
}

/** Repetitions within this time are dropped by the stream; later ones by the consumers' inbox. */
const duplicateWindowMs = 2 * 60_000
const dayMs = 86_400_000

/**
 * Makes the stream of a service, and gives an existing one this configuration (`owner`) or leaves it as it is.
 * Throws when the server took fewer settings than it was asked for: old ones drop what they do not know.
 */
export async function ensureStream(
  connection: NatsConnection,
  service: string,
  { owner = true, ...settings }: StreamSettings & { owner?: boolean } = {},
): Promise<void> {
  const streams = (await jetstreamManager(connection, { checkAPI: false })).streams
  const wanted = streamSettings(service, settings)
  const found = await streams.info(wanted.name).then(
    ({ config }) => config,
    (error) => {
      if (error instanceof JetStreamApiError && error.code === streamNotFound) return undefined
      throw error
    },
  )
  if (found === undefined) return refuseDifference(wanted, (await streams.add(wanted)).config)
  if (owner && differences(wanted, found).length > 0) refuseDifference(wanted, (await streams.update(wanted.name, wanted)).config)
}

export const streamNotFound = 10059

type Wanted = ReturnType<typeof streamSettings>

/** What the stream of a service is asked to be. */
export const streamSettings = (service: string, { replicas = 1, maxBytes = 2 ** 30, maxAgeDays = 7 }: StreamSettings = {}) =>
  ({
    name: streamOf(service),
    subjects: [`gatehouse.${service}.v1.>`],
    // Limits: only they keep the memory of message ids across a restart.
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    storage: StorageType.File,
    num_replicas: replicas,
    duplicate_window: nanos(duplicateWindowMs),
    max_age: nanos(maxAgeDays * dayMs),
    max_bytes: maxBytes,
    max_msg_size: 128 * 1024,
    deny_delete: true,
    deny_purge: true,
  }) satisfies Partial<StreamConfig>

const differences = (wanted: Wanted, found: StreamConfig): string[] =>
  (Object.keys(wanted) as (keyof Wanted)[]).filter((key) => JSON.stringify(wanted[key]) !== JSON.stringify(found[key]))

function refuseDifference(wanted: Wanted, found: StreamConfig): void {
  const different = differences(wanted, found)
  if (different.length > 0) throw new Error(`NATS gave the stream ${wanted.name} another ${different.join(', ')} than it was asked for`)
}
