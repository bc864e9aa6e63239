import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createApp } from '../src/app.ts'
import { administrator, openStory } from './open-story.ts'
import { until } from './until.ts'

const story = await openStory()
after(() => story[Symbol.asyncDispose]())
const endedOf = (userId: string) => story.auth.ended.filter((each) => each.userId === userId)

test('a suspension and a deletion end the sessions at auth, in the person’s tenant', async () => {
  for (const tenant of ['default', 'acme']) {
    const admin = await story.inBrowser(administrator(tenant))
    const [suspended, deleted] = [await story.register({ tenant }), await story.register({ tenant })]
    await admin.suspendUser({ id: suspended.id })
    await admin.deleteUser({ id: deleted.id })
    for (const { id } of [suspended, deleted]) {
      await until(() => endedOf(id).length > 0)
      assert.deepEqual(endedOf(id), [{ tenant, userId: id, workload: 'user' }])
    }
  }
})

test('while auth fails the suspension holds, and the sessions end when it is back', async () => {
  const admin = await story.inBrowser(administrator())
  const person = await story.register()
  story.auth.failing = true
  await admin.suspendUser({ id: person.id })
  assert.equal(endedOf(person.id).length, 0)
  story.auth.failing = false
  await until(() => endedOf(person.id).length > 0)
})

test('somebody who is let back before auth has answered keeps the sessions from then on', async () => {
  const admin = await story.inBrowser(administrator())
  const person = await story.register()
  story.auth.failing = true
  await admin.suspendUser({ id: person.id })
  const before = Date.now()
  await admin.reactivateUser({ id: person.id })
  story.auth.failing = false
  await until(() => endedOf(person.id).length > 0)
  const [ended] = endedOf(person.id)
  assert.ok(ended?.openedUntil && Math.abs(ended.openedUntil.getTime() - before) < 60_000)
})

test('what one process could not finish the next one does', async () => {
  const admin = await story.inBrowser(administrator())
  const person = await story.register()
  story.auth.failing = true
  await admin.deleteUser({ id: person.id })
  await story.app[Symbol.asyncDispose]()
  story.auth.failing = false
  await using _next = await createApp(story.config)
  await until(() => endedOf(person.id).length > 0)
})
