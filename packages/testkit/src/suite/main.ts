import { parseArgs } from 'node:util'
import { runSuite } from './run-suite.ts'

/** `npm test` runs the checks and all tests; with paths, the tests under them alone; with --checks-only, the checks alone. */
try {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { 'checks-only': { type: 'boolean', default: false } } })
  await runSuite({ checksOnly: values['checks-only'], under: positionals })
} catch (error) {
  if (!(error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))) throw error
  process.stderr.write(`${error.message}\nUsage: npm test [-- PATH…]   or   npm run check\n`)
  process.exitCode = 2
}
