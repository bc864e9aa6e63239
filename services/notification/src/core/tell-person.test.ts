import assert from 'node:assert/strict'
import { test } from 'node:test'
import { v7 as uuidv7 } from 'uuid'
import { openScene } from '../../test/scene.ts'
import { closeInbox, listItems } from '../store/inbox.ts'
import { tellPerson } from './tell-person.ts'

test('a person is told by mail and in the application, in sequences without a gap', async () => {
  await using scene = await openScene()
  const key = { tenant: scene.tenant, userId: uuidv7() }
  await tellPerson(scene.db, { ...key, template: 'password_changed', kind: 'password_changed' })
  await tellPerson(scene.db, { ...key, template: 'email_changed', kind: 'email_changed', challengeId: uuidv7() })
  const items = await listItems(scene.db, key, { limit: 10 })
  assert.deepEqual(
    items.map(({ kind, sequence, change_sequence }) => [kind, sequence, change_sequence]),
    [
      ['email_changed', 2, 2],
      ['password_changed', 1, 1],
    ],
  )
  const mails = await scene.db.selectFrom('deliveries').select(['state', 'urgent']).execute()
  assert.deepEqual(mails, [
    { state: 'pending', urgent: true },
    { state: 'pending', urgent: true },
  ])
})

test('whoever is gone is told nothing in the application', async () => {
  await using scene = await openScene()
  const key = { tenant: scene.tenant, userId: uuidv7() }
  await closeInbox(scene.db, key)
  await tellPerson(scene.db, { ...key, template: 'password_changed', kind: 'password_changed' })
  assert.deepEqual(await listItems(scene.db, key, { limit: 10 }), [])
})
