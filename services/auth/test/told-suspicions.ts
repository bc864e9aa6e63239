import { fromBinary } from '@bufbuild/protobuf'
import { type SuspiciousActivity, SuspiciousActivitySchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { SuspicionKindSchema } from '@gatehouse/contracts/gatehouse/auth/v1/suspicion_pb'
import { sql } from 'kysely'
import type { Db } from '../src/core/deps.ts'

/** Every event of suspicious activity, the oldest first. */
export async function suspicionsIn(db: Db): Promise<SuspiciousActivity[]> {
  const { rows } = await sql<{ payload: Uint8Array }>`
    select payload from outbox where type = ${SuspiciousActivitySchema.typeName} order by id`.execute(db)
  return rows.map(({ payload }) => fromBinary(SuspiciousActivitySchema, payload))
}

/** Names of the kinds of what was told of a person, and a `+` where they are asked by mail. */
export async function toldOf(db: Db, userId: string): Promise<string[]> {
  const told = (await suspicionsIn(db)).filter((each) => each.userId === userId)
  return told.map(
    ({ kinds, challengeId }) =>
      kinds.map((kind) => SuspicionKindSchema.value[kind]?.localName).join(' ') + (challengeId === '' ? '' : ' +'),
  )
}
