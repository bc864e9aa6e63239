import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { transact } from '@gatehouse/postgres'
import { v7 as uuidv7 } from 'uuid'
import { openScene } from '../../../test/scene.ts'
import type { InboxKey } from '../../store/inbox.ts'
import { forgetPerson } from '../forget-person.ts'
import { addInboxItem } from './add-inbox-item.ts'
import { createInboxHub, type InboxHub, type InboxNews } from './inbox-hub.ts'
import { markInboxItemsRead } from './mark-inbox-items-read.ts'

const scene = await openScene()
after(() => scene[Symbol.asyncDispose]())
const { deps, tenant } = scene

const newKey = (): InboxKey => ({ tenant, userId: uuidv7() })
const openHub = (options = {}) => createInboxHub({ db: deps.db, log: deps.log, pollMs: 60_000, ...options })
const add = (key: InboxKey) => transact(deps.db, (tx) => addInboxItem(tx, { ...key, kind: 'signed_in' }))

function follow(hub: InboxHub, key: InboxKey, sequence = 0) {
  const abort = new AbortController()
  const stream = hub.watch(key, sequence, abort.signal)[Symbol.asyncIterator]()
  return {
    stream,
    end: () => abort.abort(),
    async next(): Promise<InboxNews | undefined> {
      const { value, done } = await stream.next()
      return done ? undefined : value
    },
    /** The next message that says something. */
    async news(): Promise<InboxNews | undefined> {
      for (;;) {
        const news = await this.next()
        if (!news || news.items.length > 0) return news
      }
    },
  }
}

test('a watcher is told what was, then what comes, and resumes where it was', async () => {
  await using hub = openHub()
  const key = newKey()
  await add(key)
  const first = follow(hub, key)
  assert.deepEqual(await first.next(), { items: [], sequence: 0 })
  assert.deepEqual((await first.news())?.sequence, 1)
  const coming = first.news()
  await add(key)
  hub.nudge(key)
  const told = await coming
  assert.deepEqual([told?.items.length, told?.sequence], [1, 2])
  first.end()
  assert.equal(await first.next(), undefined)

  await add(key)
  const second = follow(hub, key, told?.sequence)
  assert.deepEqual(
    (await second.news())?.items.map(({ sequence }) => sequence),
    [3],
  )
  second.end()
})

test('without a nudge the next look finds it, and silence is broken', async () => {
  await using hub = openHub({ pollMs: 50, heartbeatMs: 30 })
  const key = newKey()
  const watcher = follow(hub, key)
  await watcher.next()
  assert.deepEqual(await watcher.next(), { items: [], sequence: 0 })
  await add(key)
  assert.equal((await watcher.news())?.sequence, 1)
  watcher.end()
})

test('reading elsewhere is told', async () => {
  await using hub = openHub()
  const key = newKey()
  await add(key)
  const watcher = follow(hub, key)
  const [item] = (await watcher.news())?.items ?? []
  assert.ok(item)
  const coming = watcher.news()
  await markInboxItemsRead({ ...deps, inboxChanged: hub.nudge }, { key, ids: [item.id] })
  const [read] = (await coming)?.items ?? []
  assert.deepEqual([read?.id, read?.read_time instanceof Date], [item.id, true])
  watcher.end()
})

test('each of many watchers of many inboxes gets all of its own and nothing else', async () => {
  await using hub = openHub()
  const keys = Array.from({ length: 10 }, newKey)
  const watchers = keys.flatMap((key) => [follow(hub, key), follow(hub, key)].map((watcher) => ({ key, watcher })))
  const all = watchers.map(async ({ watcher }) => {
    const seen: number[] = []
    while (seen.length < 20) for (const { sequence } of (await watcher.news())?.items ?? []) seen.push(sequence)
    watcher.end()
    return seen
  })
  for (let i = 0; i < 20; i++) {
    await Promise.all(keys.map(add))
    for (const key of keys) hub.nudge(key)
  }
  for (const seen of await Promise.all(all))
    assert.deepEqual(
      seen,
      Array.from({ length: 20 }, (_, i) => i + 1),
    )
})

test('a slow watcher gets everything in order, though it never holds more than its share', async () => {
  await using hub = openHub()
  const key = newKey()
  await transact(deps.db, async (tx) => {
    for (let i = 0; i < 450; i++) await addInboxItem(tx, { ...key, kind: 'signed_in' })
  })
  const watcher = follow(hub, key)
  const seen: number[] = []
  while (seen.length < 450) {
    const items = (await watcher.news())?.items ?? []
    assert.ok(items.length <= 300)
    for (const { sequence } of items) seen.push(sequence)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 450 }, (_, i) => i + 1),
  )
  watcher.end()
})

test('the stream of somebody who is gone ends', async () => {
  await using hub = openHub()
  const key = newKey()
  await add(key)
  const watcher = follow(hub, key)
  await watcher.news()
  const end = watcher.news()
  await forgetPerson(deps.db, key)
  hub.nudge(key)
  assert.equal(await end, undefined)
})

test('streams end with the hub', async () => {
  const hub = openHub()
  const watcher = follow(hub, newKey())
  await watcher.next()
  const end = watcher.next()
  await hub[Symbol.asyncDispose]()
  assert.equal(await end, undefined)
})
