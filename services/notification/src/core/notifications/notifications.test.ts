import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { PageTokenInvalid, RequestIdReused } from '@gatehouse/postgres'
import { Refusal } from '@gatehouse/rpc'
import { v7 as uuidv7 } from 'uuid'
import { openScene } from '../../../test/scene.ts'
import { claimDeliveries } from '../../store/deliveries.ts'
import { addMail } from '../deliveries/add-mail.ts'
import { forgetPerson } from '../forget-person.ts'
import { cancelNotification } from './cancel-notification.ts'
import { getNotification } from './get-notification.ts'
import { listNotifications } from './list-notifications.ts'
import { type SendNotificationInput, sendNotification } from './send-notification.ts'

const scene = await openScene()
after(() => scene[Symbol.asyncDispose]())
const { deps, tenant } = scene

const input = (changes: Partial<SendNotificationInput> & { recipient: string }): SendNotificationInput => ({
  tenant,
  caller: 'workload:billing',
  requestId: '',
  fingerprint: 'f',
  template: 'announcement',
  data: { title: 'News', text: 'Hello' },
  ...changes,
})

const refusal =
  (reason: string, metadata = {}) =>
  (error: unknown) => {
    assert.ok(error instanceof Refusal, String(error))
    assert.deepEqual([error.reason, error.metadata], [reason, metadata])
    return true
  }

test('a notification is written, read and listed', async () => {
  const userId = scene.addPerson()
  const sent = await sendNotification(deps, input({ recipient: userId }))
  assert.deepEqual([sent.state, sent.template, sent.user_id, sent.attempts], ['pending', 'announcement', userId, 0])
  assert.deepEqual(await getNotification(deps, { tenant, id: sent.id }), sent)
  const { notifications } = await listNotifications(deps, { tenant, userId, pageSize: 0, pageToken: '' })
  assert.deepEqual(notifications, [sent])
})

test('the same request is answered with the same notification, in parallel and with the recipient gone since', async () => {
  const userId = scene.addPerson()
  const request = input({ recipient: userId, requestId: uuidv7() })
  const sent = await Promise.all(Array.from({ length: 5 }, () => sendNotification(deps, request)))
  scene.peers.people.delete(`${tenant} ${userId}`)
  sent.push(await sendNotification(deps, request))
  assert.equal(new Set(sent.map(({ id }) => id)).size, 1)
  await assert.rejects(sendNotification(deps, { ...request, fingerprint: 'other' }), RequestIdReused)
})

test('nobody can be told what no template says, nor anybody who is not there', async () => {
  const userId = scene.addPerson()
  await assert.rejects(sendNotification(deps, input({ recipient: userId, template: 'nonsense' })), refusal('TEMPLATE_UNKNOWN'))
  await assert.rejects(sendNotification(deps, input({ recipient: userId, template: 'password_changed' })), refusal('TEMPLATE_UNKNOWN'))
  await assert.rejects(
    sendNotification(deps, input({ recipient: userId, data: { title: 'x' } })),
    refusal('TEMPLATE_DATA_INVALID', { field: 'text' }),
  )
  await assert.rejects(sendNotification(deps, input({ recipient: uuidv7() })), refusal('RECIPIENT_NOT_FOUND'))
  await assert.rejects(sendNotification(deps, input({ recipient: userId, tenant: 'other' })), refusal('RECIPIENT_NOT_FOUND'))
  const gone = scene.addPerson({ state: User_State.DELETED })
  await assert.rejects(sendNotification(deps, input({ recipient: gone })), refusal('RECIPIENT_NOT_FOUND'))
})

test('what a refused request would have made, a corrected one with the same id makes', async () => {
  const userId = uuidv7()
  const request = input({ recipient: userId, requestId: uuidv7() })
  await assert.rejects(sendNotification(deps, request), refusal('RECIPIENT_NOT_FOUND'))
  scene.peers.people.set(`${tenant} ${userId}`, { id: userId, email: 'ada@example.com' })
  assert.equal((await sendNotification(deps, request)).state, 'pending')
})

test('what waits can be cancelled, again and again; what is being sent cannot', async () => {
  const userId = scene.addPerson()
  const { id } = await sendNotification(deps, input({ recipient: userId, sendTime: new Date(Date.now() + 60_000) }))
  assert.equal((await cancelNotification(deps, { tenant, id })).state, 'cancelled')
  assert.equal((await cancelNotification(deps, { tenant, id })).state, 'cancelled')
  await assert.rejects(cancelNotification(deps, { tenant: 'other', id }), refusal('NOTIFICATION_NOT_FOUND'))
  await assert.rejects(cancelNotification(deps, { tenant, id: uuidv7() }), refusal('NOTIFICATION_NOT_FOUND'))

  const urgent = await addMail(deps.db, { tenant, template: 'password_changed', userId })
  assert.equal((await claimDeliveries(deps.db, { urgent: true, limit: 10, leaseSeconds: 60 })).length, 1)
  await assert.rejects(cancelNotification(deps, { tenant, id: urgent }), refusal('NOTIFICATION_SENT'))
})

test('of a cancellation and a worker at the same moment exactly one wins', async () => {
  const userId = scene.addPerson()
  for (let i = 0; i < 20; i++) {
    const id = await addMail(deps.db, { tenant, template: 'password_changed', userId })
    const [claimed, cancelled] = await Promise.all([
      claimDeliveries(deps.db, { urgent: true, limit: 10, leaseSeconds: 60 }),
      cancelNotification(deps, { tenant, id }).then(
        () => true,
        () => false,
      ),
    ])
    assert.notEqual(claimed.length === 1, cancelled)
  }
})

test('pages follow each other, and a token is good for its own list only', async () => {
  const userId = scene.addPerson()
  const ids: string[] = []
  for (let i = 0; i < 5; i++) ids.unshift((await sendNotification(deps, input({ recipient: userId }))).id)
  const pages: string[][] = []
  let pageToken = ''
  do {
    const page = await listNotifications(deps, { tenant, userId, pageSize: 2, pageToken })
    pages.push(page.notifications.map(({ id }) => id))
    pageToken = page.nextPageToken
    if (pages.length === 1) {
      await assert.rejects(listNotifications(deps, { tenant, userId: '', pageSize: 2, pageToken }), PageTokenInvalid)
      await assert.rejects(listNotifications(deps, { tenant: 'other', userId, pageSize: 2, pageToken }), PageTokenInvalid)
    }
  } while (pageToken)
  assert.deepEqual(pages, [ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)])
  assert.deepEqual((await listNotifications(deps, { tenant: 'other', userId: '', pageSize: 0, pageToken: '' })).notifications, [])
})

test('a person who is gone leaves no words and no waiting mail behind', async () => {
  const userId = scene.addPerson()
  const { id } = await sendNotification(deps, input({ recipient: userId, sendTime: new Date(Date.now() + 60_000) }))
  await forgetPerson(deps.db, { tenant, userId })
  assert.equal((await getNotification(deps, { tenant, id })).state, 'suppressed')
  const { data } = await deps.db.selectFrom('deliveries').select('data').where('notification_id', '=', id).executeTakeFirstOrThrow()
  assert.equal(data, null)
})
