import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { encodePageToken, PageTokenInvalid, transact } from '@gatehouse/postgres'
import { Refusal } from '@gatehouse/rpc'
import { v7 as uuidv7 } from 'uuid'
import { openScene } from '../../../test/scene.ts'
import { type InboxKey, listItems } from '../../store/inbox.ts'
import { forgetPerson } from '../forget-person.ts'
import { languages } from '../mail/languages.ts'
import { addInboxItem } from './add-inbox-item.ts'
import { decodeCursor } from './cursor.ts'
import { listInboxItems } from './list-inbox-items.ts'
import { markInboxItemsRead } from './mark-inbox-items-read.ts'
import { type InboxKind, inboxKinds, inboxText } from './texts.ts'

const scene = await openScene()
after(() => scene[Symbol.asyncDispose]())
const { deps, tenant } = scene

const newKey = (): InboxKey => ({ tenant, userId: uuidv7() })
const add = (key: InboxKey, kind: InboxKind = 'signed_in') => transact(deps.db, (tx) => addInboxItem(tx, { ...key, kind }))
const list = (key: InboxKey, pageSize = 0, pageToken = '') => listInboxItems(deps, { key, pageSize, pageToken })

const notFound = (error: unknown) => error instanceof Refusal && error.reason === 'INBOX_ITEM_NOT_FOUND'

test('an inbox is listed newest first, in pages, with what is unread', async () => {
  const key = newKey()
  assert.deepEqual(await list(key), { items: [], nextPageToken: '', unreadCount: 0, cursor: (await list(key)).cursor })
  for (const kind of ['welcome', 'signed_in', 'password_changed'] as const) await add(key, kind)
  const first = await list(key, 2)
  assert.deepEqual([first.items.map(({ kind }) => kind), first.unreadCount], [['password_changed', 'signed_in'], 3])
  const second = await list(key, 2, first.nextPageToken)
  assert.deepEqual([second.items.map(({ kind }) => kind), second.nextPageToken], [['welcome'], ''])
  assert.equal(decodeCursor(key, first.cursor), 3)
})

test('items that come at the same time get sequences without a gap', async () => {
  const key = newKey()
  await Promise.all(Array.from({ length: 30 }, () => add(key)))
  const items = await listItems(deps.db, key, { limit: 100 })
  assert.deepEqual(
    items.map(({ sequence }) => sequence),
    Array.from({ length: 30 }, (_, i) => 30 - i),
  )
})

test('marking is for all or none, answers in the order asked, and changes what is unread once', async () => {
  const key = newKey()
  for (let i = 0; i < 3; i++) await add(key)
  const ids = (await list(key)).items.map(({ id }) => id)
  const [a = '', b = '', c = ''] = ids
  await assert.rejects(markInboxItemsRead(deps, { key, ids: [a, uuidv7()] }), notFound)
  await assert.rejects(markInboxItemsRead(deps, { key: newKey(), ids: [a] }), notFound)
  await assert.rejects(markInboxItemsRead(deps, { key: { ...key, tenant: 'other' }, ids: [a] }), notFound)
  assert.equal((await list(key)).unreadCount, 3)

  const marked = await markInboxItemsRead(deps, { key, ids: [c, a, a.toUpperCase()] })
  assert.deepEqual(
    marked.map(({ id, read_time }) => [id, read_time !== null]),
    [
      [c, true],
      [a, true],
      [a, true],
    ],
  )
  const again = await markInboxItemsRead(deps, { key, ids: [a, b] })
  assert.deepEqual(again[0]?.read_time, marked[1]?.read_time)
  assert.equal((await list(key)).unreadCount, 0)
  const changes = (await list(key)).items.map(({ change_sequence }) => change_sequence)
  assert.equal(new Set(changes).size, 3)
  assert.ok(changes.every((sequence) => sequence > 3))
})

test('marks of the same items at the same time follow each other', async () => {
  const key = newKey()
  for (let i = 0; i < 10; i++) await add(key)
  const ids = (await list(key)).items.map(({ id }) => id)
  await Promise.all([markInboxItemsRead(deps, { key, ids }), markInboxItemsRead(deps, { key, ids: ids.toReversed() }), add(key)])
  const { items, unreadCount } = await list(key)
  assert.deepEqual([items.length, unreadCount], [11, 1])
})

test('cursors and page tokens of somebody else are refused', async () => {
  const [key, other] = [newKey(), newKey()]
  await add(key)
  await add(key)
  const { cursor, nextPageToken } = await list(key, 1)
  const forged = encodePageToken(JSON.stringify(['inbox cursor', key.tenant, key.userId]), ['1e99'])
  for (const wrong of [forged, cursor.slice(1), nextPageToken, 'x']) {
    assert.throws(
      () => decodeCursor(key, wrong),
      (error) => error instanceof Refusal && error.reason === 'CURSOR_INVALID',
    )
  }
  assert.throws(() => decodeCursor(other, cursor), Refusal)
  assert.throws(() => decodeCursor({ ...key, tenant: 'other' }, cursor), Refusal)
  await assert.rejects(list(other, 1, nextPageToken), PageTokenInvalid)
})

test('the inbox of somebody who is gone is empty and stays so', async () => {
  const key = newKey()
  await add(key)
  await forgetPerson(deps.db, key)
  await add(key)
  assert.deepEqual((await list(key)).items, [])
})

test('every kind has words in every language, and an unknown one its name', () => {
  for (const language of languages)
    for (const kind of inboxKinds) assert.ok(inboxText(kind, language).title && inboxText(kind, language).body)
  assert.deepEqual(inboxText('from_the_future', 'en'), { title: 'from the future', body: '' })
})
