import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { clockOffset } from './clock-offset.ts'

const run = promisify(execFile)

test('a process lives an hour ahead or behind, in all that tells the time', async () => {
  const program = `console.log(JSON.stringify([
    Date.now(), new Date().getTime(), Date.parse(Date()), performance.timeOrigin + performance.now(),
    new Date(0).getTime(), new Date() instanceof Date, Date.UTC(1970, 0, 1),
  ]))`
  for (const hours of [1, -1]) {
    const before = Date.now() + hours * 3_600_000
    const { stdout } = await run(process.execPath, ['-e', program], { env: { PATH: process.env.PATH, ...clockOffset(hours * 3_600_000) } })
    const after = Date.now() + hours * 3_600_000
    const [now, made, said, origin, epoch, is, utc] = JSON.parse(stdout) as [number, number, number, number, number, boolean, number]
    for (const time of [now, made, origin])
      assert.ok(before - 1 <= time && time <= after + 1, `${time} is not within ${before} and ${after}`)
    // Date() as a function says whole seconds.
    assert.ok(before - 1_000 <= said && said <= after)
    assert.deepEqual([epoch, is, utc], [0, true, 0])
  }
})
