import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import {
  UserCreatedSchema,
  UserDeletedSchema,
  UserInvitedSchema,
  UserSuspendedSchema,
} from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import type { Violation } from '../checker/evidence.ts'
import type { Constellation } from '../constellation.ts'
import { startLoad } from '../load.ts'
import type { Random } from '../random.ts'
import type { Scenario } from '../scenario.ts'
import { settle } from '../settle.ts'
import { injectEvents, type StrangeEvent } from '../strange-event.ts'

/** Consumers are given what they have had, what is a day old, what comes behind what followed it, and what nobody can read. */
export const strangeEvents: Scenario = {
  name: 'strange-events',
  faults: 'consumers get duplicates, day-old and out-of-order events, and poison',
  promise:
    'one effect, the final state by version, no resurrection of the deleted; poison goes to the dead letters with its reason and trace, and the rest flows',
  async run(house, { random, effort }) {
    const faultsBefore = house.history.faults.length
    await using load = await startLoad(house, { random, administrators: 3, people: 2, pauseMs: 30 })
    const poison: Poison[] = []
    const kinds = [duplicates, poisoned, resurrections, lateSuspensions]
    for (let turn = 0; house.history.faults.length - faultsBefore < effort.faults || load.operations < effort.operations; turn++) {
      await delay(random.integer(50, 400))
      poison.push(...((await kinds[turn % kinds.length]?.(house, random)) ?? []))
    }
    if (effort.name !== 'smoke') poison.push(...(await unwritable(house)))
    await load.stop()
    // What fails ten times is put aside after the last of ever longer waits.
    const left = await settle(house, effort.name === 'smoke' ? 60_000 : 240_000)
    return [...left.map((each) => violation('rest-flows', each)), ...(await examined(house, poison))]
  },
}

interface Poison {
  readonly id: string
  readonly traceparent: string
  readonly consumers: readonly string[]
}

const sentences = {
  'poison-put-aside': 'what cannot be handled becomes a dead letter with its reason and its trace',
  'rest-flows': 'beside poison all other events are handled',
  'no-resurrection': 'an event that comes late changes nothing about the deleted',
  'final-state-by-version': 'an event that is older than the state it speaks of does not change it',
}
const violation = (rule: keyof typeof sentences, ...evidence: string[]): Violation => ({ rule, sentence: sentences[rule], evidence })

const dayMs = 86_400_000
const bodyOf = <Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>) => toBinary(schema, create(schema, init))

type Kind = (house: Constellation, random: Random) => Promise<readonly Poison[]>

interface OutboxRow {
  readonly id: string
  readonly type: string
  readonly key: string
  readonly version: number
  readonly payload: Buffer
  readonly create_time: Date
}

/** The same events again under their ids, in any order, some of them dated yesterday. */
const duplicates: Kind = async (house, random) => {
  for (const service of ['user', 'auth'] as const) {
    const rows = await house.sql<OutboxRow>(`select id, type, key, version::integer, payload, create_time
      from gatehouse_${service}.outbox where published_time is not null order by md5(id::text || '${random.integer(0, 1_000_000)}') limit 3`)
    const events = rows.map(({ id, type, key, version, payload, create_time }): StrangeEvent => {
      const old = random.percent(50)
      const short = type.slice(type.lastIndexOf('.') + 1)
      house.history.fault(`${short} again${old ? ', a day old' : ''}`)
      return { service, type: short, id, key, version, payload, time: old ? new Date(Date.now() - dayMs) : create_time }
    })
    await injectEvents(house, events)
  }
  return []
}

/** What happened to deleted people before is told after it, as news. */
const resurrections: Kind = async (house, random) => {
  const rows = await house.sql<{ id: string }>(`select u.id from gatehouse_user.users u
    join gatehouse_user.outbox o on o.key = u.id::text and o.type like '%.UserDeleted'
    join gatehouse_notification.inbox i on i.event_id = o.id::text
    where u.state = 'deleted' order by u.id desc limit 20`)
  if (rows.length === 0) return []
  const { id: userId } = random.pick(rows)
  const time = new Date(Date.now() - dayMs)
  const told = (type: string, version: number, payload: Uint8Array): StrangeEvent => {
    house.history.fault(`${type} behind UserDeleted`)
    return { service: 'user', type, id: randomUUID(), key: userId, version, payload, time }
  }
  await injectEvents(house, [
    told('UserInvited', 1, bodyOf(UserInvitedSchema, { userId, version: 1n })),
    told('UserCreated', 1, bodyOf(UserCreatedSchema, { userId, version: 1n })),
    told('UserSuspended', 2, bodyOf(UserSuspendedSchema, { userId, version: 2n })),
  ])
  return []
}

/** Somebody who is signed in was suspended yesterday, and is not any more. */
const lateSuspensions: Kind = async (house, random) => {
  const rows = await house.sql<{ user_id: string }>(
    'select distinct user_id from gatehouse_auth.sessions where end_time is null order by user_id desc limit 20',
  )
  if (rows.length === 0) return []
  const { user_id: userId } = random.pick(rows)
  house.history.fault('UserSuspended, a day old')
  const payload = bodyOf(UserSuspendedSchema, { userId, version: 1n })
  await injectEvents(house, [
    { service: 'user', type: 'UserSuspended', id: randomUUID(), key: userId, version: 1, payload, time: new Date(Date.now() - dayMs) },
  ])
  return []
}

const newTrace = () => `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`

/** Bytes that are no such message. */
const poisoned: Kind = async (house) => {
  const of = (service: StrangeEvent['service'], type: string): StrangeEvent & Poison => {
    house.history.fault(`poisoned ${type}`)
    const consumers = service === 'user' ? ['auth', 'notification'] : ['notification']
    const payload = Buffer.from('ffffffff', 'hex')
    return { service, type, id: randomUUID(), key: randomUUID(), version: 1, payload, time: new Date(), traceparent: newTrace(), consumers }
  }
  const events = [of('user', 'UserDeleted'), of('auth', 'EmailVerificationRequested')]
  await injectEvents(house, events)
  return events
}

/** Well-formed, and no database takes it. */
const unwritable: (house: Constellation) => Promise<readonly Poison[]> = async (house) => {
  house.history.fault('UserDeleted of nobody')
  const payload = bodyOf(UserDeletedSchema, { userId: 'nobody', version: 1n })
  const event = { service: 'user', type: 'UserDeleted', id: randomUUID(), key: 'nobody', version: 1, payload, time: new Date() } as const
  const poison = { ...event, traceparent: newTrace(), consumers: ['auth', 'notification'] }
  await injectEvents(house, [poison])
  return [poison]
}

async function examined(house: Constellation, poison: readonly Poison[]): Promise<Violation[]> {
  const found: Violation[] = []
  for (const { id, traceparent, consumers } of poison) {
    for (const consumer of consumers) {
      const [letter] = await house.sql<{ reason: string; traceparent: string | null }>(
        `delete from gatehouse_${consumer}.dead_letters where event_id = $1 returning reason, traceparent`,
        [id],
      )
      if (letter === undefined) found.push(violation('poison-put-aside', `${id} is no dead letter of ${consumer}`))
      else if (letter.reason === '' || letter.traceparent !== traceparent)
        found.push(
          violation(
            'poison-put-aside',
            `${id} of ${consumer}: reason "${letter.reason}", trace ${letter.traceparent}, sent with ${traceparent}`,
          ),
        )
    }
  }
  const risen = await house.sql<{ what: string }>(`
    with gone as (select id from gatehouse_user.users where state = 'deleted')
    select 'inbox item ' || kind || ' of ' || user_id as what from gatehouse_notification.inbox_items where user_id in (select id from gone)
    union all select 'password of ' || user_id from gatehouse_auth.credentials where user_id in (select id from gone)
    union all select 'invitation of ' || user_id from gatehouse_auth.challenges where kind = 'invitation' and user_id in (select id from gone)
    union all select 'session of ' || user_id from gatehouse_auth.sessions where end_time is null and user_id in (select id from gone)`)
  if (risen.length > 0) found.push(violation('no-resurrection', ...risen.map(({ what }) => what)))
  const suspended = await house.sql<{ id: string }>(`select s.id from gatehouse_auth.sessions s
    join gatehouse_user.users u on u.id = s.user_id and u.state = 'active' and u.version = 1 where s.end_cause = 'user_suspended'`)
  if (suspended.length > 0)
    found.push(violation('final-state-by-version', ...suspended.map(({ id }) => `session ${id} was ended by a suspension of yesterday`)))
  return found
}
