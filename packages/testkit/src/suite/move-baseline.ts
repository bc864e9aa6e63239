import { baseline } from './checks.ts'
import { runCommand } from './run-command.ts'

// The contracts as they are become what `buf breaking` holds every later change against.
const never = new AbortController().signal
const generated = await runCommand(process.execPath, ['packages/contracts/scripts/generate.ts', '--check'], never)
const built = generated.passed ? await runCommand('buf', ['build', 'proto', '--exclude-source-info', '-o', baseline], never) : generated
if (built.passed)
  process.stdout.write(`${baseline} now holds the contracts as they are: commit it with the change and say in the message why it breaks.\n`)
else process.stderr.write(built.output)
process.exitCode = built.passed ? 0 : 1
