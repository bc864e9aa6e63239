import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Code } from '@connectrpc/connect'
import { Notification_State } from '@gatehouse/contracts/gatehouse/notification/v1/notification_pb'
import { refused } from '@gatehouse/testkit'
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid'
import { openStory } from './open-story.ts'
import { until } from './until.ts'

const story = await openStory()
after(() => story[Symbol.asyncDispose]())

const administrator = (tenant = 'default') => ({
  tenant,
  id: uuidv7(),
  permissions: ['notification.notifications.send', 'notification.notifications.read'],
})
const data = { title: 'News', text: 'Hello' }

test('a workload sends a mail, sees it delivered, and a repetition sends none', async () => {
  const billing = await story.asWorkload('billing')
  const userId = story.addPerson()
  const request = { template: 'announcement', recipient: userId, data, requestId: uuidv4() }
  const { notification } = await billing.sendNotification(request)
  assert.equal((await billing.sendNotification(request)).notification?.id, notification?.id)
  await until(
    'the mail',
    async () => (await billing.getNotification({ id: notification?.id ?? '' })).notification?.state === Notification_State.DELIVERED,
  )
  assert.equal(story.mailServer.taken.filter(({ to }) => to === `${userId}@example.com`).length, 1)
  await refused(billing.sendNotification({ ...request, data: { ...data, title: 'Other' } }), Code.FailedPrecondition, 'REQUEST_ID_REUSED')
})

test('who has the permission sends, reads and cancels over the web door; who has not may not', async () => {
  const { notifications } = await story.inBrowser(administrator())
  const userId = story.addPerson()
  const sendTime = { seconds: BigInt(Math.floor(Date.now() / 1000) + 3600), nanos: 0 }
  const { notification } = await notifications.sendNotification({ template: 'announcement', recipient: userId, data, sendTime })
  const id = notification?.id ?? ''
  assert.deepEqual(
    (await notifications.listNotifications({ userId })).notifications.map((each) => each.id),
    [id],
  )
  assert.equal((await notifications.cancelNotification({ id })).notification?.state, Notification_State.CANCELLED)

  const { notifications: powerless } = await story.inBrowser({ tenant: 'default', id: userId })
  await refused(
    powerless.sendNotification({ template: 'announcement', recipient: userId, data }),
    Code.PermissionDenied,
    'PERMISSION_DENIED',
  )
  await refused(powerless.getNotification({ id }), Code.PermissionDenied, 'PERMISSION_DENIED')
  const { notifications: nobody } = await story.inBrowser()
  await refused(nobody.listNotifications({}), Code.Unauthenticated, 'CREDENTIALS_MISSING')
})

test('every wrong request has its reason', async () => {
  const { notifications } = await story.inBrowser(administrator())
  const userId = story.addPerson()
  const send = (changes: object) => notifications.sendNotification({ template: 'announcement', recipient: userId, data, ...changes })
  assert.deepEqual(await refused(send({ template: 'verify_email' }), Code.InvalidArgument, 'TEMPLATE_UNKNOWN'), ['template'])
  assert.deepEqual(await refused(send({ data: { title: 'x' } }), Code.InvalidArgument, 'TEMPLATE_DATA_INVALID'), ['data["text"]'])
  await refused(send({ recipient: uuidv7() }), Code.NotFound, 'RECIPIENT_NOT_FOUND')
  assert.deepEqual(await refused(send({ recipient: 'x' }), Code.InvalidArgument, 'INVALID_REQUEST'), ['recipient'])
  await refused(notifications.getNotification({ id: uuidv7() }), Code.NotFound, 'NOTIFICATION_NOT_FOUND')
  await refused(notifications.cancelNotification({ id: uuidv7() }), Code.NotFound, 'NOTIFICATION_NOT_FOUND')
  const borrowed = notifications.listNotifications({ pageToken: 'x' })
  assert.deepEqual(await refused(borrowed, Code.InvalidArgument, 'PAGE_TOKEN_INVALID'), ['pageToken'])
  for (const seconds of [-62_135_596_801n, 253_402_300_800n])
    await assert.rejects(send({ sendTime: { seconds, nanos: 0 } }), (error: { code?: Code }) => error.code === Code.InvalidArgument)
})

test('while user is away a new mail is refused as unavailable', async () => {
  const { notifications } = await story.inBrowser(administrator())
  const userId = story.addPerson()
  story.peers.away = true
  await refused(
    notifications.sendNotification({ template: 'announcement', recipient: userId, data }),
    Code.Unavailable,
    'DEPENDENCY_UNAVAILABLE',
  )
  story.peers.away = false
})

test('one tenant sees nothing of another', async () => {
  const [here, there] = [await story.inBrowser(administrator()), await story.inBrowser(administrator('acme'))]
  const userId = story.addPerson({ tenant: 'acme' })
  const { notification } = await there.notifications.sendNotification({ template: 'announcement', recipient: userId, data })
  const id = notification?.id ?? ''
  await refused(here.notifications.getNotification({ id }), Code.NotFound, 'NOTIFICATION_NOT_FOUND')
  await refused(here.notifications.cancelNotification({ id }), Code.NotFound, 'NOTIFICATION_NOT_FOUND')
  await refused(
    here.notifications.sendNotification({ template: 'announcement', recipient: userId, data }),
    Code.NotFound,
    'RECIPIENT_NOT_FOUND',
  )
  assert.deepEqual((await here.notifications.listNotifications({ userId })).notifications, [])
  const billing = await story.asWorkload('billing', 'default')
  await refused(billing.getNotification({ id }), Code.NotFound, 'NOTIFICATION_NOT_FOUND')
})

test('the REST door creates with 201', async () => {
  const { origin, token } = await story.inBrowser(administrator())
  const userId = story.addPerson()
  const answer = await fetch(`${origin}/api/notifications`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ template: 'announcement', recipient: userId, data }),
  })
  assert.equal(answer.status, 201)
  const { id, state } = (await answer.json()) as { id: string; state: string }
  assert.match(state, /^STATE_/)
  const read = await fetch(`${origin}/api/notifications/${id}`, { headers: { authorization: `Bearer ${token}` } })
  assert.equal(((await read.json()) as { id: string }).id, id)
})
