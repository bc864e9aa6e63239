import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { secretsOf } from './state.ts'

test('secrets of a release that knew fewer are kept, and what they lack is made once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-state-'))
  try {
    const made = await secretsOf(folder)
    const { streams, ...nats } = made.nats
    assert.equal(streams.length, 32)
    await writeFile(join(folder, 'secrets.json'), JSON.stringify({ ...made, nats }))
    const after = await secretsOf(folder)
    assert.deepEqual({ ...after, nats: { ...after.nats, streams } }, made)
    assert.notEqual(after.nats.streams, streams)
    assert.deepEqual(await secretsOf(folder), after)
    assert.deepEqual(JSON.parse(await readFile(join(folder, 'secrets.json'), 'utf8')), after)
  } finally {
    await rm(folder, { recursive: true })
  }
})
