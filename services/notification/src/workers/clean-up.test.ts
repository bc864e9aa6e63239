import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { transact } from '@gatehouse/postgres'
import { sql } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import { openScene } from '../../test/scene.ts'
import { until } from '../../test/until.ts'
import { addMail } from '../core/deliveries/add-mail.ts'
import { addInboxItem } from '../core/inbox/add-inbox-item.ts'
import { listItems } from '../store/inbox.ts'
import { deleteOldNotifications, findNotification } from '../store/notifications.ts'
import { startCleanUp } from './clean-up.ts'

const scene = await openScene()
after(() => scene[Symbol.asyncDispose]())
const { db, tenant } = scene

test('what is old and finished goes, what is young or still waits stays', async () => {
  const userId = uuidv7()
  const add = () => addMail(db, { tenant, template: 'password_changed', userId })
  const [old, waiting, young] = [await add(), await add(), await add()]
  await sql`update deliveries set state = 'delivered' where notification_id in (${old}, ${young})`.execute(db)
  await sql`update notifications set create_time = now() - interval '2 hours' where id in (${old}, ${waiting})`.execute(db)
  for (let i = 0; i < 2; i++) await transact(db, (tx) => addInboxItem(tx, { tenant, userId, kind: 'signed_in' }))
  await sql`update inbox_items set create_time = now() - interval '2 hours' where sequence = 1`.execute(db)

  await using _cleanUp = startCleanUp({ db, log: scene.deps.log, notificationsKeptSeconds: 3600, inboxKeptSeconds: 3600 })
  await until('the old ones to go', async () => (await listItems(db, { tenant, userId }, { limit: 10 })).length === 1)
  const left = await Promise.all([old, waiting, young].map(async (id) => (await findNotification(db, tenant, id)) !== undefined))
  assert.deepEqual(left, [false, true, true])
})

test('a notification that goes finds its deliveries by an index', async () => {
  await sql`with made as (
      insert into notifications (tenant, id, template, user_id, urgent, send_time, create_time)
      select ${tenant}, gen_random_uuid(), 'welcome', gen_random_uuid(), false, now(), now() - interval '1 day' from generate_series(1, 3000)
      returning tenant, id)
    insert into deliveries (tenant, id, notification_id, urgent, state, due_time)
    select tenant, gen_random_uuid(), id, false, 'delivered', now() from made`.execute(db)
  await sql`analyze notifications, deliveries`.execute(db)
  const scanned = await transact(db, async (tx) => {
    // What the connection did before is in it too, until Postgres has collected it.
    const scans = async () => {
      const { rows } = await sql<{ n: bigint }>`select seq_scan as n from pg_stat_xact_user_tables where relname = 'deliveries'`.execute(tx)
      return Number(rows[0]?.n)
    }
    const before = await scans()
    assert.equal(await deleteOldNotifications(tx, 3600, 500), 500)
    return (await scans()) - before
  })
  assert.ok(scanned <= 1, `all deliveries were read ${scanned} times for 500 notifications`)
})
