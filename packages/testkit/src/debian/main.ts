// `npm run bring -- kustomize`: brings a program of Debian's and prints its path, for shells.
import { bringDebianProgram } from './bring-program.ts'
import { type DebianProgramName, debianPrograms } from './programs.ts'

const isKnown = (name: string): name is DebianProgramName => Object.hasOwn(debianPrograms, name)

const say = (line: string): unknown => process.stderr.write(`${line}\n`)
const names = process.argv.slice(2)
const known = names.filter(isKnown)
if (names.length === 0 || known.length < names.length) {
  say(`usage: npm run bring -- PROGRAM…, of ${Object.keys(debianPrograms).join(', ')}`)
  process.exitCode = 2
} else {
  for (const name of known) {
    const brought = await bringDebianProgram(name, { log: say })
    if (brought.path === undefined) {
      say(brought.why)
      process.exitCode = 1
    } else process.stdout.write(`${brought.path}\n`)
  }
}
