import { type ConsumerConfig, type ConsumerInfo, DeliverPolicy, JetStreamApiError, type JetStreamManager } from '@nats-io/jetstream'
import { consumerNotFound, consumerSettings } from './consumer-settings.ts'
import { catchUpOf } from './nats-names.ts'
import { noStream, streamNotFound } from './stream.ts'

/** How far back events are taken of a kind that nobody of the service had asked for: longer than an upgrade takes. */
const lookBackMs = 3_600_000

export type Widened = { readonly stream: string; readonly durable: string; readonly subjects: readonly string[] }

/**
 * Asks for the kinds of `subjects` too, and never for fewer: while old and new replicas run side by side, the old ones' restart must not lose the new ones'
 * events. A stream passes over what a durable's filter did not name when it came by. So that those who tell a new kind may be upgraded before those who take
 * it, a consumer of its own takes what was told of it lately; it is there before the filter is wider, and stays until somebody has come to its end.
 * True where it is there.
 */
export async function widenConsumer(consumers: JetStreamManager['consumers'], { stream, durable, subjects }: Widened): Promise<boolean> {
  const begun = await findConsumer(consumers, stream, catchUpOf(durable))
  // One that takes more than we know is a newer release's, which comes to its end without us.
  if (begun !== undefined && takes(subjects, begun)) return true
  const found = await findConsumer(consumers, stream, durable)
  if (found === undefined) return false
  const subscribed = subjectsOf(found.config)
  const fresh = subjects.filter((subject) => !subscribed.includes(subject))
  if (fresh.length === 0) return false
  const since = new Date(Date.now() - lookBackMs).toISOString()
  const lately = { deliver_policy: DeliverPolicy.StartTime, opt_start_time: since }
  await addConsumer(consumers, stream, {
    ...consumerSettings({ subjects: fresh, from: 'start' }),
    ...lately,
    durable_name: catchUpOf(durable),
  })
  await consumers.update(stream, durable, { filter_subjects: [...subscribed, ...fresh].sort() })
  return true
}

export async function findConsumer(
  consumers: JetStreamManager['consumers'],
  stream: string,
  name: string,
): Promise<ConsumerInfo | undefined> {
  try {
    return await consumers.info(stream, name)
  } catch (error) {
    if (!(error instanceof JetStreamApiError)) throw error
    if (error.code === consumerNotFound) return undefined
    throw error.code === streamNotFound ? noStream(stream) : error
  }
}

/** Another replica may have made it just now, with a moment of its own to begin at. */
async function addConsumer(
  consumers: JetStreamManager['consumers'],
  stream: string,
  config: Partial<ConsumerConfig> & { readonly durable_name: string },
): Promise<void> {
  try {
    await consumers.add(stream, config)
  } catch (error) {
    const made = await findConsumer(consumers, stream, config.durable_name)
    if (made === undefined || !takes(subjectsOf(made.config), { config })) throw error
  }
}

const subjectsOf = ({ filter_subjects, filter_subject }: Partial<ConsumerConfig>): readonly string[] =>
  filter_subjects ?? (filter_subject === undefined ? [] : [filter_subject])

const takes = (subjects: readonly string[], { config }: { readonly config: Partial<ConsumerConfig> }): boolean =>
  subjectsOf(config).every((subject) => subjects.includes(subject))
