import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Seen } from './day-for-tests.ts'

const run = promisify(execFile)
const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url))
const nameServer = '127.0.0.53'
const inNamespace = ['--net', '--mount', 'sh', here('./in-namespace.sh'), nameServer]

/** By how much the busiest, or the idlest, differs from the mean. */
function unevenness(shares: Readonly<Record<string, number>>): number {
  const counts = Object.values(shares)
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length
  return Math.max(...counts.map((count) => Math.abs(count - mean) / mean))
}

const replicas = (shares: Readonly<Record<string, number>>): string[] => Object.keys(shares).sort()

describe('replicas behind a name that has all of their addresses, looked up as in a cluster', () => {
  let seen: Seen | undefined
  let whyNot = ''

  before(async () => {
    whyNot = await run('unshare', [...inNamespace, 'true']).then(
      () => '',
      (error) => `it takes root, unshare and ip to have loopback and resolv.conf of one's own (${(error as Error).message.split('\n')[0]})`,
    )
    if (whyNot) return
    const { stdout } = await run('unshare', [...inNamespace, process.execPath, here('./day-for-tests.ts'), nameServer], {
      timeout: 120_000,
    })
    seen = JSON.parse(stdout) as Seen
  })

  const shows = (fact: string, check: (seen: Seen) => void): void => {
    test(fact, (t) => {
      if (!seen) return t.skip(whyNot)
      t.diagnostic(JSON.stringify(seen))
      check(seen)
    })
  }

  shows('share calls to within 20 %, three as well as four', ({ ofThree, ofFour }) => {
    assert.deepEqual(replicas(ofThree), ['127.0.1.1', '127.0.1.2', '127.0.1.3'])
    assert.deepEqual(replicas(ofFour), ['127.0.1.1', '127.0.1.2', '127.0.1.3', '127.0.1.4'])
    assert.ok(unevenness(ofThree) < 0.2, JSON.stringify(ofThree))
    assert.ok(unevenness(ofFour) < 0.2, JSON.stringify(ofFour))
  })

  shows(
    'get calls within thirty seconds when they are new, which a channel of its own accord does not do',
    ({ newAfterMs, newOfPlain }) => {
      assert.ok(newAfterMs < 30_000, `${newAfterMs} ms`)
      assert.equal(newOfPlain, 0)
    },
  )

  shows('get none from the moment at which they are killed, though their name still has them', ({ afterKill }) => {
    assert.deepEqual(replicas(afterKill), ['127.0.1.2', '127.0.1.3', '127.0.1.4'])
  })

  shows('drain without a failed call', ({ whileOneDrains }) => {
    assert.ok(!replicas(whileOneDrains).includes(''), JSON.stringify(whileOneDrains))
  })

  shows('get none when they have been silent for a quarter of a minute, though their connections stay', ({ silentForMs, afterSilence }) => {
    assert.ok(silentForMs > 1000 && silentForMs < 17_000, `${silentForMs} ms`)
    assert.deepEqual(replicas(afterSilence), ['127.0.2.2'])
  })

  shows('are found within seconds when their name was not there before', ({ lateAfterMs }) => {
    assert.ok(lateAfterMs < 5000, `${lateAfterMs} ms`)
  })
})
