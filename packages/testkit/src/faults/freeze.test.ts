import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startOwned } from '../owned-process.ts'
import { freeze } from './freeze.ts'

/** Its child says a line again and again. */
const startTalker = () =>
  startOwned({
    command: '/bin/sh',
    args: ['-c', '(while :; do echo tick; sleep 0.01; done) & echo child $!; wait'],
    stopSignal: 'SIGTERM',
    insistSignal: 'SIGKILL',
    graceMs: 1_000,
  })

test('a frozen process and its children stand still, and go on when it is thawed', async () => {
  await using talker = await startTalker()
  const child = Number((await talker.line((line) => line.startsWith('child'), 5_000))?.split(' ')[1])
  await talker.line((line) => line === 'tick', 5_000)
  {
    await using frozen = await freeze(talker.pid)
    assert.ok(frozen.pids.includes(talker.pid) && frozen.pids.includes(child))
    await untilState(child, 'T')
    await untilState(talker.pid, 'T')
  }
  await untilState(child, 'SR')
  process.kill(child, 'SIGKILL')
})

test('a frozen process goes on when its owner is killed', async () => {
  await using sleeper = await startOwned({
    command: 'sleep',
    args: ['60'],
    stopSignal: 'SIGTERM',
    insistSignal: 'SIGKILL',
    graceMs: 1_000,
  })
  const program = `import { freeze } from ${JSON.stringify(import.meta.resolve('./freeze.ts'))}
    await freeze(Number(process.argv[1]))
    console.log('frozen')
    setInterval(() => {}, 1000)`
  const owner = spawn(process.execPath, ['--input-type=module', '-e', program, String(sleeper.pid)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(createInterface({ input: owner.stdout }), 'line', { signal: AbortSignal.timeout(20_000) })
  await untilState(sleeper.pid, 'T')
  owner.kill('SIGKILL')
  await untilState(sleeper.pid, 'SR')
})

test('refuses to freeze nobody', async () => {
  await assert.rejects(freeze(2 ** 22 + 1), /there is no process/)
})

async function untilState(pid: number, states: string): Promise<void> {
  for (const end = performance.now() + 5_000; ; await delay(5)) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const state = stat.slice(stat.lastIndexOf(')') + 2)[0] ?? ''
    if (states.includes(state)) return
    assert.ok(performance.now() < end, `process ${pid} is ${state} and not ${states}`)
  }
}
