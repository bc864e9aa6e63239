import type { Benchmark } from '../benchmark.ts'
import { cores, startChild } from '../child.ts'
import type { VerifyApiKeysActs } from '../programs/verify-api-keys.ts'
import { alternate } from '../rounds.ts'
import { ratioOf, spreadOf } from '../statistics.ts'

/** What it costs to know which program calls. */
export const verifyApiKey: Benchmark = {
  name: 'verify-api-key',
  about: 'API keys through the bounded cache, with checksum, end and revocation, one after the other on one core',
  alone: true,
  async run(bench) {
    await using child = await startChild<VerifyApiKeysActs>('verify-api-keys', cores.server)
    const keys = bench.effort.name === 'smoke' ? 20 : 2_000
    await child.call('prepare', keys)
    const run = (side: Parameters<VerifyApiKeysActs['run']>[0]['side']) => (seconds: number) => child.call('run', { side, seconds })
    const results = await alternate(bench.effort, { seen: run('seen before'), garbage: run('garbage'), bare: run('bare') })
    const row = (what: string, figures: readonly number[]) => ({
      name: 'verify-api-key',
      what,
      figure: spreadOf(figures),
      unit: 'keys/s',
      against: { name: 'SHA-256 and a Map', figure: spreadOf(results.bare) },
      ratio: ratioOf(figures, results.bare),
      goal: { of: 'figure' as const, least: 10_000 },
      conditions: { keys },
    })
    return [row('seen before', results.seen), row('a letter mistyped', results.garbage)]
  },
}
