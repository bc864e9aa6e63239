import { setTimeout as delay } from 'node:timers/promises'
import {
  DiscardPolicy,
  JetStreamApiError,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StreamAPI,
  type StreamConfig,
} from '@nats-io/jetstream'
import { type NatsConnection, nanos, PermissionViolationError, RequestError, TimeoutError } from '@nats-io/nats-core'
import { type Difference, differencesOf } from './differences.ts'
import { streamOf } from './nats-names.ts'

/** What an operator decides about a stream. What is not given stays as it is, and is the default in a stream that is made. */
export type StreamSettings = {
  /** Copies in a cluster. Default 1. */
  readonly replicas?: number | undefined
  /** Beyond it the stream takes nothing new, and events wait in the outbox. Default 1 GiB. */
  readonly maxBytes?: number | undefined
}

/** Repetitions within this time are dropped by the stream; later ones by the consumers' inbox. */
const duplicateWindowMs = 2 * 60_000
const dayMs = 86_400_000

/** What was done with a stream. */
export type Applied = 'made' | 'changed' | 'kept'

/**
 * Makes the stream of a service, or gives an existing one this configuration. Only an operator's user of NATS may: whoever may change a stream can have it
 * copy another's, or tell its events as another's. A cluster that has just begun, or lost who led it, is waited for. Throws StreamRefused; and when the
 * server took fewer settings than it was asked for: old ones drop what they do not know.
 */
export async function applyStream(connection: NatsConnection, service: string, settings: StreamSettings = {}): Promise<Applied> {
  for (const end = performance.now() + patienceMs; ; await delay(200)) {
    try {
      return await applyOnce(connection, service, settings)
    } catch (error) {
      if (!isUnready(error) || performance.now() > end) throw error
    }
  }
}

const patienceMs = 30_000

/** No suitable peers for placement, temporarily unavailable, not the leader, offline. */
const unready: ReadonlySet<number> = new Set([10005, 10008, 10009, 10118])

const isUnready = (error: unknown): boolean =>
  error instanceof TimeoutError ||
  (error instanceof RequestError && error.isNoResponders()) ||
  (error instanceof JetStreamApiError && unready.has(error.code))

async function applyOnce(connection: NatsConnection, service: string, settings: StreamSettings): Promise<Applied> {
  const streams = await streamsOf(connection)
  const found = await findStream(streams, service)
  const wanted = {
    ...fixedSettings(service),
    ...decided({ replicas: settings.replicas ?? found?.num_replicas, maxBytes: settings.maxBytes ?? found?.max_bytes }),
  }
  if (found !== undefined && streamDifferences(wanted, found).length === 0) return 'kept'
  const changing = found === undefined ? streams.add(wanted) : streams.update(wanted.name, { ...wanted, ...none })
  const { config } = await changing.catch((error: Error) => {
    const isRefused = [error, error.cause].some((each) => each instanceof PermissionViolationError)
    throw isRefused
      ? new StreamRefused(`${wanted.name} has to be ${found === undefined ? 'made' : 'changed'}, and this user of NATS may not`)
      : error
  })
  const different = streamDifferences(wanted, config).map(({ setting }) => setting)
  if (different.length > 0) throw new Error(`NATS gave the stream ${wanted.name} another ${different.join(', ')} than it was asked for`)
  return found === undefined ? 'made' : 'changed'
}

/** The user of NATS may not make or change a stream, and it would have to be. */
export class StreamRefused extends Error {
  override readonly name = 'StreamRefused'
}

/** The stream of a service as the server has it. Throws a sentence where there is none. */
export async function requireStream(connection: NatsConnection, service: string): Promise<StreamConfig> {
  const found = await findStream(await streamsOf(connection), service)
  if (found !== undefined) return found
  throw noStream(streamOf(service))
}

/** What is told of a stream that is missing. */
export const noStream = (stream: string): Error =>
  new Error(`NATS has no stream ${stream}: gatehouse migrate makes it, as a user of NATS that may`)

export const streamNotFound = 10059

/** What the stream of a service has to be, whatever an operator decides. */
export const fixedSettings = (service: string) =>
  ({
    name: streamOf(service),
    subjects: [`gatehouse.${service}.v1.>`],
    // Limits: only they keep the memory of message ids across a restart.
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    storage: StorageType.File,
    duplicate_window: nanos(duplicateWindowMs),
    // As long as an outbox keeps what it published.
    max_age: nanos(7 * dayMs),
    max_msg_size: 128 * 1024,
    deny_delete: true,
    deny_purge: true,
  }) satisfies Partial<StreamConfig>

/** What no stream of ours has: by these it would hold what others said, or say in other names what it holds. */
const none = { sources: undefined, mirror: undefined, republish: undefined, subject_transform: undefined } as unknown as Pick<
  StreamConfig,
  'sources' | 'mirror' | 'republish' | 'subject_transform'
>

const decided = ({ replicas = 1, maxBytes = 2 ** 30 }: StreamSettings) => ({ num_replicas: replicas, max_bytes: maxBytes })

/** In what a stream is other than it was asked to be. */
export const streamDifferences = (asked: Partial<StreamConfig>, given: StreamConfig): readonly Difference[] => [
  ...differencesOf(asked, given),
  ...(Object.keys(none) as (keyof typeof none)[])
    .filter((setting) => given[setting] != null && JSON.stringify(given[setting]) !== '[]')
    .map((setting) => ({ setting, asked: 'none', given: given[setting] })),
]

const streamsOf = async (connection: NatsConnection): Promise<StreamAPI> =>
  (await jetstreamManager(connection, { checkAPI: false })).streams

async function findStream(streams: StreamAPI, service: string): Promise<StreamConfig | undefined> {
  try {
    return (await streams.info(streamOf(service))).config
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === streamNotFound) return undefined
    throw error
  }
}
