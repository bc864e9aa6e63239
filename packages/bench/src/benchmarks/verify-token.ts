import type { Benchmark } from '../benchmark.ts'
import { cores, startChild } from '../child.ts'
import type { VerifyTokensActs } from '../programs/verify-tokens.ts'
import { alternate } from '../rounds.ts'
import { ratioOf, spreadOf } from '../statistics.ts'

/** What it costs to know who calls. */
export const verifyToken: Benchmark = {
  name: 'verify-token',
  about: 'local verification of an access token with all its rules and the revocations, one after the other on one core',
  alone: true,
  async run(bench) {
    await using child = await startChild<VerifyTokensActs>('verify-tokens', cores.server)
    const tokens = bench.effort.name === 'smoke' ? 20 : 500
    await child.call('prepare', tokens)
    const run = (side: Parameters<VerifyTokensActs['run']>[0]['side']) => (seconds: number) => child.call('run', { side, seconds })
    const results = await alternate(bench.effort, { first: run('first sight'), seen: run('seen before'), jose: run('jose') })
    const row = (what: string, figures: readonly number[], least: number) => ({
      name: 'verify-token',
      what,
      figure: spreadOf(figures),
      unit: 'tokens/s',
      against: { name: 'jose.jwtVerify', figure: spreadOf(results.jose) },
      ratio: ratioOf(figures, results.jose),
      goal: { of: 'ratio' as const, least },
      conditions: { tokens },
    })
    return [row('first sight', results.first, 0.9), row('seen before', results.seen, 20)]
  },
}
