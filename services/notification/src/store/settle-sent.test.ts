import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { NotificationDeliveredSchema } from '@gatehouse/contracts/gatehouse/notification/v1/events_pb'
import { eventRow } from '@gatehouse/events'
import { sql } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import { openScene, type Scene } from '../../test/scene.ts'
import { addMail } from '../core/deliveries/add-mail.ts'
import { createMarkDelivered } from '../core/deliveries/mark-delivered.ts'
import { type ClaimedDelivery, claimDeliveries, suppressDeliveriesOf } from './deliveries.ts'
import { settleSent } from './settle-sent.ts'

const sentOf = (delivery: ClaimedDelivery) => {
  const version = delivery.version + 1
  const message = create(NotificationDeliveredSchema, { notificationId: delivery.notificationId, version: BigInt(version) })
  return { delivery, event: eventRow({ schema: NotificationDeliveredSchema, message, tenant: delivery.tenant, version }) }
}

async function addMails(scene: Scene, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await addMail(scene.db, { tenant: scene.tenant, template: 'password_changed', userId: uuidv7() })
}

const claim = (scene: Scene, limit: number, leaseSeconds = 60) => claimDeliveries(scene.db, { urgent: true, limit, leaseSeconds })

async function toldOf(scene: Scene): Promise<(readonly [string, bigint])[]> {
  const { rows } = await sql<{ key: string; version: bigint }>`select key, version from outbox order by key`.execute(scene.db)
  return rows.map(({ key, version }) => [key, version] as const)
}

const statesOf = (scene: Scene) => scene.db.selectFrom('deliveries').select(['id', 'state', 'version', 'data']).execute()

test('many are settled in one statement, and each is told once, of its version', async () => {
  await using scene = await openScene()
  await addMails(scene, 5)
  const claimed = await claim(scene, 5)
  assert.deepEqual(await settleSent(scene.db, claimed.map(sentOf)), [true, true, true, true, true])
  const expected = claimed
    .map(({ notificationId, version }) => [notificationId, BigInt(version + 1)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  assert.deepEqual(await toldOf(scene), expected)
  for (const { state, version } of await statesOf(scene)) assert.deepEqual([state, version], ['delivered', 3])
})

test('whose lease was lost to another worker is left to it, among others that are settled', async () => {
  await using scene = await openScene()
  await addMails(scene, 2)
  const first = await claim(scene, 2)
  await scene.db
    .updateTable('deliveries')
    .set({ due_time: new Date(0) })
    .where('id', '=', first[0]?.id ?? '')
    .execute()
  const [again] = await claim(scene, 2)
  assert.equal(again?.id, first[0]?.id)
  assert.deepEqual(await settleSent(scene.db, first.map(sentOf)), [false, true])
  assert.deepEqual(
    (await toldOf(scene)).map(([key]) => key),
    [first[1]?.notificationId],
  )
  assert.equal((await statesOf(scene)).find(({ id }) => id === again?.id)?.state, 'sending')
  assert.deepEqual(await settleSent(scene.db, [sentOf(again as ClaimedDelivery)]), [true])
})

test('a mail whose reader left while it was on its way is written down all the same, under the version that it has now', async () => {
  await using scene = await openScene()
  const userId = uuidv7()
  await addMail(scene.db, { tenant: scene.tenant, template: 'announcement', userId, data: { title: 'News', text: 'Hello' } })
  const [delivery] = await claimDeliveries(scene.db, { urgent: false, limit: 1, leaseSeconds: 60 })
  await suppressDeliveriesOf(scene.db, scene.tenant, userId)
  await createMarkDelivered({ db: scene.db, committed() {} })(delivery as ClaimedDelivery)
  assert.deepEqual(await toldOf(scene), [[delivery?.notificationId, 4n]])
  const [row] = await statesOf(scene)
  assert.deepEqual([row?.state, row?.version, row?.data], ['delivered', 4, null])
})

test('claims at one moment never have a delivery in common', async () => {
  await using scene = await openScene()
  await addMails(scene, 60)
  const claims = await Promise.all(Array.from({ length: 6 }, () => claim(scene, 20)))
  const ids = claims.flat().map(({ id }) => id)
  assert.equal(new Set(ids).size, ids.length)
  const rest = await claim(scene, 60)
  assert.equal(new Set([...ids, ...rest.map(({ id }) => id)]).size, 60)
})
