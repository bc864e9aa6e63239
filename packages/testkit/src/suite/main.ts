import { parseArgs } from 'node:util'
import { runSuite } from './run-suite.ts'

/**
 * `npm test` runs the checks and all tests; with paths, the tests under them alone; with --slow, those that it leaves out; with --checks-only, the checks alone; with
 * --through-pooler, those of the services with a PgBouncer before PostgreSQL.
 */
try {
  const flag = { type: 'boolean', default: false } as const
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'checks-only': flag, slow: flag, 'through-pooler': flag },
  })
  const throughPooler = values['through-pooler']
  const under = throughPooler && positionals.length === 0 ? ['services', 'packages/events', 'packages/rpc'] : positionals
  await runSuite({ checksOnly: values['checks-only'], slow: values.slow, throughPooler, under })
} catch (error) {
  if (!(error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))) throw error
  process.stderr.write(
    `${error.message}\nUsage: npm test [-- PATH…]   or   npm test -- --slow   or   npm test -- --through-pooler   or   npm run check\n`,
  )
  process.exitCode = 2
}
