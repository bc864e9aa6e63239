import type { DescMessage } from '@bufbuild/protobuf'
import {
  eventContract,
  isInOutbox,
  isNewEnough,
  lastEventOf,
  natsVersionFloor,
  type OutboxStatus,
  reportConsumer,
  reportStream,
} from '@gatehouse/events'
import type { Db } from '@gatehouse/postgres'
import { placeOf } from '../command-parts.ts'
import { differencesIn, events, makesStream, setsRight, sizeOf, time } from '../in-words.ts'
import type { PeerName } from '../peers.ts'
import { type ReachedNats, reachNats } from '../reach-nats.ts'
import { checkNatsUser } from './check-nats-user.ts'
import { either, type Finding, ok, wrong } from './findings.ts'

export interface NatsQuestion {
  readonly name: PeerName
  readonly natsUrl: string
  readonly consumes: readonly DescMessage[]
  /** Undefined when the database could not be asked. */
  readonly database: { readonly db: Db<unknown>; readonly outbox: OutboxStatus } | undefined
}

const manyEvents = 1000
const fullShare = 0.8
/** A stream's last event is younger than this against the outbox's, unless something of it is lost. */
const lostMs = 60_000

/** The broker, the service's own stream, and what the service takes from others. Rejects with NatsAway. */
export async function checkNats(question: NatsQuestion): Promise<Finding[]> {
  const { name, natsUrl } = question
  await using broker = await reachNats(natsUrl, `gatehouse-${name}-doctor`)
  const connection = await broker.nats.connected()
  const version = connection.info?.version ?? 'unknown'
  const user = await checkNatsUser(name, connection)
  return [
    either(
      isNewEnough(version),
      `nats-server ${version} at ${placeOf(natsUrl)}`,
      `nats-server at ${placeOf(natsUrl)} is ${version}`,
      `upgrade it to ${natsVersionFloor}: what is older has known weaknesses, and drops settings silently`,
    ),
    user.finding,
    // Another service's user is not let at what this one's is: each look would time out.
    ...(user.isOwn ? [...(await checkStream(question, connection)), ...(await checkConsumers(question, connection))] : []),
  ]
}

type Connection = Awaited<ReturnType<ReachedNats['nats']['connected']>>

async function checkStream({ name, natsUrl, database }: NatsQuestion, connection: Connection): Promise<Finding[]> {
  const fill = `gatehouse outbox replay ${name} --stream`
  const report = await reportStream(connection, name)
  if (report === undefined) return [wrong(`the stream gatehouse-${name} is not there`, `${makesStream(name)}. If it was lost: ${fill}`)]
  const { differences, bytes, maxBytes, messages, copies } = report
  const found: Finding[] = [
    either(
      differences.length === 0,
      `the stream ${report.name} is as it has to be, with ${events(messages)}`,
      `the stream ${report.name} has ${differencesIn(differences)}`,
      `${setsRight(name)}. If it comes again, somebody else may change it, or the account's limits or an old server do not allow it`,
    ),
  ]
  const servers = natsUrl.split(',').length
  if (servers > 1 && copies === 1)
    found.push(
      wrong(
        `NATS_URL names ${servers} servers, and one of them alone holds the stream`,
        `gatehouse migrate ${name} with NATS_REPLICAS=3 and a NATS_URL that names the user streams`,
      ),
    )
  if (bytes > fullShare * maxBytes)
    found.push(
      wrong(
        `the stream holds ${sizeOf(bytes)} of ${sizeOf(maxBytes)}`,
        'when it is full, events wait in the outbox until the oldest are 7 days old. Nothing is lost; write less, or wait',
      ),
    )
  if (database !== undefined) found.push(...(await compareWithOutbox(database, connection, name, fill)))
  return found
}

async function compareWithOutbox(
  { db, outbox: { keptSince, lastPublishedTime } }: NonNullable<NatsQuestion['database']>,
  connection: Connection,
  name: PeerName,
  fill: string,
): Promise<Finding[]> {
  const last = await lastEventOf(connection, name)
  const week = Date.now() - 7 * 86_400_000
  if (lastPublishedTime !== undefined && lastPublishedTime.getTime() > week + lostMs) {
    if (last === undefined || lastPublishedTime.getTime() - last.storedTime.getTime() > lostMs)
      return [
        wrong(
          `the stream has nothing after ${last === undefined ? 'its beginning' : time(last.storedTime)}, and the outbox published at ${time(lastPublishedTime)}: NATS lost events`,
          `${fill}. Consumers ignore what they have had`,
        ),
      ]
  }
  const isOlder = last !== undefined && keptSince !== undefined && last.eventTime < keptSince
  if (last === undefined || isOlder || (await isInOutbox(db, last.tenant, last.id))) return []
  return [
    wrong(
      `the stream's last event (${last.id}, ${time(last.eventTime)}) is not in the outbox: the database is older than NATS, as after a restore`,
      `stop the services, start NATS empty, gatehouse migrate (it makes the stream), start the services, then for each of them: ${fill}`,
    ),
  ]
}

async function checkConsumers({ name, consumes }: NatsQuestion, connection: Connection): Promise<Finding[]> {
  const found: Finding[] = []
  for (const [source, ofSource] of Map.groupBy(consumes, (event) => eventContract(event).service)) {
    const subjects = ofSource.map((event) => `${eventContract(event).subject}.*`)
    const report = await reportConsumer(connection, { source, durable: name, subjects })
    const what = `the consumer ${name} of gatehouse-${source}`
    if (report === undefined) {
      found.push(
        wrong(
          `${what} is not there`,
          `a running ${name} makes it where the stream is there; it then reads that from its beginning, and ignores what it has had`,
        ),
      )
      continue
    }
    const { differences, missingSubjects, lag, comingAgain } = report
    if (differences.length > 0)
      found.push(
        wrong(
          `${what} has ${differencesIn(differences)}`,
          'stop the replicas, delete the consumer, start them: what was handled is ignored',
        ),
      )
    if (missingSubjects.length > 0)
      found.push(wrong(`${what} is not told of ${missingSubjects.join(', ')}`, `restart ${name} in this version`))
    found.push(
      lag > manyEvents
        ? wrong(
            `${events(lag)} of ${source} wait to be handled, ${comingAgain} of them once more`,
            '"an event could not be handled" in the log; a peer that is away; more replicas',
          )
        : ok(
            `${what} ${differences.length + missingSubjects.length === 0 ? 'is as it was asked for, and ' : ''}has ${events(lag)} to handle, ${comingAgain} of them once more`,
          ),
    )
  }
  return found
}
