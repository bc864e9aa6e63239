import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Code } from '@connectrpc/connect'
import { SignedInSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import type { WatchInboxResponse } from '@gatehouse/contracts/gatehouse/notification/v1/inbox_service_pb'
import { UserCreatedSchema, UserDeletedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { refused } from '@gatehouse/testkit'
import { v7 as uuidv7 } from 'uuid'
import { type Inbox, openStory } from './open-story.ts'
import { until } from './until.ts'

const story = await openStory()
after(() => story[Symbol.asyncDispose]())

const signIn = (userId: string, tenant?: string) => story.tell('auth', SignedInSchema, { sessionId: uuidv7(), userId, version: 1n }, tenant)
const titles = (inbox: Inbox) => inbox.listInboxItems({}).then(({ items }) => items.map(({ title }) => title))

function watch(inbox: Inbox, cursor = '') {
  const abort = new AbortController()
  const messages: WatchInboxResponse[] = []
  const ended = (async () => {
    for await (const message of inbox.watchInbox({ cursor }, { signal: abort.signal })) messages.push(message)
  })().then(
    () => undefined,
    (error: { code?: Code }) => error.code,
  )
  const titles = () => messages.flatMap(({ items }) => items.map(({ title }) => title))
  return { messages, titles, ended, stop: () => abort.abort() }
}

test('an inbox fills live, in the language of its owner, and resumes', async () => {
  const id = story.addPerson({ locale: 'de-CH' })
  const { inbox } = await story.inBrowser({ tenant: 'default', id })
  const first = watch(inbox)
  await until('a first message', () => first.messages.length > 0)
  await story.tell('user', UserCreatedSchema, { userId: id, version: 1n })
  await until('the welcome', () => first.titles().includes('Willkommen'))
  first.stop()
  await first.ended
  await signIn(id)
  const second = watch(inbox, first.messages.at(-1)?.cursor)
  await until('the sign-in', () => second.titles().length > 0)
  assert.deepEqual(second.titles(), ['Neue Anmeldung'])
  second.stop()
  assert.deepEqual(await titles(inbox), ['Neue Anmeldung', 'Willkommen'])
})

test('what is read here is told there, in another replica too', async () => {
  const id = story.addPerson()
  const replica = await story.startReplica()
  const { inbox: here } = await story.inBrowser({ tenant: 'default', id })
  const { inbox: there } = await story.inBrowser({ tenant: 'default', id }, replica)
  await signIn(id)
  await until('the item', async () => (await here.listInboxItems({})).unreadCount === 1)
  const watching = watch(there)
  await until('the item there', () => watching.titles().length === 1)
  const itemId = watching.messages.flatMap(({ items }) => items)[0]?.id ?? ''
  await here.markInboxItemsRead({ ids: [itemId] })
  await until('the mark there', () => watching.messages.flatMap(({ items }) => items).some(({ readTime }) => readTime))
  assert.equal((await there.listInboxItems({})).unreadCount, 0)
  watching.stop()
  await watching.ended
})

test('nobody reads or marks what is not theirs', async () => {
  const [ada, eve] = [story.addPerson(), story.addPerson()]
  const { inbox: adas } = await story.inBrowser({ tenant: 'default', id: ada })
  const { inbox: eves } = await story.inBrowser({ tenant: 'default', id: eve })
  const { inbox: namesake } = await story.inBrowser({ tenant: 'acme', id: ada })
  await signIn(ada)
  await until('the item', async () => (await titles(adas)).length === 1)
  const { items, cursor } = await adas.listInboxItems({})
  const ids = [items[0]?.id ?? '']
  for (const other of [eves, namesake]) {
    assert.deepEqual(await titles(other), [])
    await refused(other.markInboxItemsRead({ ids }), Code.NotFound, 'INBOX_ITEM_NOT_FOUND')
    const stream = other.watchInbox({ cursor })[Symbol.asyncIterator]()
    await refused(stream.next(), Code.InvalidArgument, 'CURSOR_INVALID')
  }
  const { inbox: nobody } = await story.inBrowser()
  await refused(nobody.listInboxItems({}), Code.Unauthenticated, 'CREDENTIALS_MISSING')
})

test('a stream ends with its token, with its session, and with its person', async () => {
  const id = story.addPerson()
  const sessionId = uuidv7()
  const short = watch((await story.inBrowser({ tenant: 'default', id, seconds: 2 })).inbox)
  const revoked = watch((await story.inBrowser({ tenant: 'default', id, sessionId })).inbox)
  const other = watch((await story.inBrowser({ tenant: 'default', id })).inbox)
  await until('all to watch', () => [short, revoked, other].every(({ messages }) => messages.length > 0))
  assert.equal(await short.ended, undefined)
  story.standIn.revoke(sessionId)
  assert.equal(await revoked.ended, Code.Unauthenticated)
  await story.tell('user', UserDeletedSchema, { userId: id, version: 2n })
  assert.equal(await other.ended, undefined)
})

test('while user is away the inbox is there, in the language that the browser asks for', async () => {
  const id = story.addPerson()
  const { inbox } = await story.inBrowser({ tenant: 'default', id })
  await signIn(id)
  await until('the item', async () => (await titles(inbox)).length === 1)
  story.peers.away = true
  const { items } = await inbox.listInboxItems({}, { headers: { 'accept-language': 'de-AT,en;q=0.5' } })
  story.peers.away = false
  assert.equal(items[0]?.title, 'Neue Anmeldung')
})

test('a replica that ends lets go of its streams, and another goes on from their cursors', async () => {
  const id = story.addPerson()
  const replica = await story.startReplica()
  const { inbox: there } = await story.inBrowser({ tenant: 'default', id }, replica)
  await signIn(id)
  const watching = watch(there)
  await until('the item', () => watching.titles().length === 1)
  const start = performance.now()
  await replica[Symbol.asyncDispose]()
  await watching.ended
  assert.ok(performance.now() - start < 4000, 'it does not wait until the drain is over')
  await signIn(id)
  const { inbox: here } = await story.inBrowser({ tenant: 'default', id })
  const resumed = watch(here, watching.messages.at(-1)?.cursor)
  await until('the next item', () => resumed.titles().length === 1)
  resumed.stop()
  await resumed.ended
})
