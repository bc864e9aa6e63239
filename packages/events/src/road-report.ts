import { type ConsumerConfig, JetStreamApiError, type JetStreamManager, jetstreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/nats-core'
import { consumerNotFound, consumerSettings } from './consumer-settings.ts'
import { type Difference, differencesOf } from './differences.ts'
import { streamOf } from './nats-names.ts'
import { fixedSettings, streamDifferences, streamNotFound } from './stream.ts'

export type StreamReport = {
  readonly name: string
  readonly differences: readonly Difference[]
  readonly messages: number
  readonly bytes: number
  readonly maxBytes: number
  readonly copies: number
  readonly lastSequence: number
}

export type ConsumerReport = {
  readonly differences: readonly Difference[]
  /** Subjects that are asked for and not given: their events do not come. */
  readonly missingSubjects: readonly string[]
  /** Events that are not handled yet, and those of them that came before. */
  readonly lag: number
  readonly comingAgain: number
}

/** The stream of a service as it is, against what it has to be. Undefined when there is none. */
export async function reportStream(connection: NatsConnection, service: string): Promise<StreamReport | undefined> {
  const { streams } = await managerOf(connection)
  const info = await orUndefined(streams.info(streamOf(service)), streamNotFound)
  if (info === undefined) return undefined
  const { messages, bytes, last_seq: lastSequence } = info.state
  return {
    name: info.config.name,
    differences: streamDifferences(fixedSettings(service), info.config),
    messages,
    bytes,
    maxBytes: info.config.max_bytes,
    copies: info.config.num_replicas,
    lastSequence,
  }
}

export type StoredEvent = { readonly tenant: string; readonly id: string; readonly eventTime: Date; readonly storedTime: Date }

/** The event that a stream got last; undefined when it holds none. */
export async function lastEventOf(connection: NatsConnection, service: string): Promise<StoredEvent | undefined> {
  const { streams } = await managerOf(connection)
  const info = await orUndefined(streams.info(streamOf(service)), streamNotFound)
  if (info === undefined || info.state.messages === 0) return undefined
  const message = await streams.getMessage(streamOf(service), { seq: info.state.last_seq })
  const id = message?.header.get('ce-id')
  if (message === null || !id) return undefined
  const tenant = message.subject.slice(message.subject.lastIndexOf('.') + 1)
  const written = new Date(message.header.get('ce-time'))
  return { tenant, id, eventTime: Number.isNaN(written.getTime()) ? message.time : written, storedTime: message.time }
}

export type ConsumerQuestion = { readonly source: string; readonly durable: string; readonly subjects: readonly string[] }

/** A service's durable on a stream as it is, against what the service asks for. Undefined when there is none. */
export async function reportConsumer(connection: NatsConnection, question: ConsumerQuestion): Promise<ConsumerReport | undefined> {
  const { source, durable, subjects } = question
  const { consumers } = await managerOf(connection)
  const info = await orUndefined(consumers.info(streamOf(source), durable), consumerNotFound, streamNotFound)
  if (info === undefined) return undefined
  const { filter_subjects: _, ...wanted } = consumerSettings({ subjects, from: 'start' })
  const given = info.config.filter_subjects ?? (info.config.filter_subject === undefined ? [] : [info.config.filter_subject])
  return {
    differences: differencesOf<ConsumerConfig>(wanted, info.config),
    missingSubjects: subjects.filter((subject) => !given.includes(subject)),
    lag: info.num_pending + info.num_ack_pending,
    comingAgain: info.num_redelivered,
  }
}

const managerOf = (connection: NatsConnection): Promise<JetStreamManager> => jetstreamManager(connection, { checkAPI: false })

async function orUndefined<T>(asking: Promise<T>, ...codes: readonly number[]): Promise<T | undefined> {
  try {
    return await asking
  } catch (error) {
    if (error instanceof JetStreamApiError && codes.includes(error.code)) return undefined
    throw error
  }
}
