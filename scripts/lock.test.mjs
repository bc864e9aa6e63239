import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { withLock } from './lock.mjs'

let folder
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-lock-'))
})
after(() => rm(folder, { recursive: true, force: true }))

const lockModule = JSON.stringify(import.meta.resolve('./lock.mjs'))

function program(source, ...args) {
  return spawn(process.execPath, ['--input-type=module', '-e', `import { withLock } from ${lockModule}\n${source}`, ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
}

test('four processes that want the same lock work one after the other', async () => {
  const [lock, counter] = [join(folder, 'shared', 'lock'), join(folder, 'counter')]
  await writeFile(counter, '0')
  const source = `import { readFile, writeFile } from 'node:fs/promises'
    import { setTimeout as delay } from 'node:timers/promises'
    await withLock(process.argv[1], async () => {
      const seen = Number(await readFile(process.argv[2], 'utf8'))
      await delay(50)
      await writeFile(process.argv[2], String(seen + 1))
    })`
  const codes = await Promise.all([1, 2, 3, 4].map(async () => (await once(program(source, lock, counter), 'exit'))[0]))
  assert.deepEqual(codes, [0, 0, 0, 0])
  assert.equal(await readFile(counter, 'utf8'), '4')
  assert.deepEqual(await readdir(join(folder, 'shared')), [])
})

test('the lock of a killed process is taken over', async () => {
  const lock = join(folder, 'abandoned')
  const holder = program(
    `await withLock(process.argv[1], async () => { console.log('held'); await new Promise((r) => setTimeout(r, 60_000)) })`,
    lock,
  )
  await once(holder.stdout, 'data')
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  assert.equal(await withLock(lock, async () => 'mine'), 'mine')
})

test('a failure inside gives the lock back', async () => {
  const lock = join(folder, 'failed')
  await assert.rejects(
    withLock(lock, async () => {
      throw new TypeError('inside')
    }),
    TypeError,
  )
  assert.equal(await withLock(lock, async () => 'again'), 'again')
})
