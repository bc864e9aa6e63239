import { globSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../../../', import.meta.url))

export const roots = ['packages', 'services', 'deploy', 'scripts']

/** Hand-written files of the repository with one of these endings, relative to its root. */
export function sourceFiles(endings: readonly string[]): string[] {
  const pattern = `{${roots.join(',')}}/**/*{${endings.join(',')}}`
  const generated = /(^|\/)(node_modules|dist|coverage|\.cache)(\/|$)|^packages\/contracts\/src(\/|$)/
  return globSync(pattern, { cwd: root, exclude: (path) => generated.test(path) })
    .filter((path) => !generated.test(path) && statSync(join(root, path)).isFile())
    .sort()
}

/** `slow` is longer than a developer wants to wait for on every run: CI runs it. `bench` is that every benchmark runs at all: for whoever changes one. */
type Kind = 'usual' | 'slow' | 'bench'
const kindOf = (file: string): Kind => (file.endsWith('.slow.test.ts') ? 'slow' : file.endsWith('.bench.test.ts') ? 'bench' : 'usual')

/** Test files, and those that were left out, with the command that runs them. */
export interface FoundTests {
  readonly tests: readonly string[]
  readonly leftOut: readonly (readonly [file: string, command: string])[]
}

/** The test files under these files and folders (given relative to the current folder), or all of them. Slow ones are asked for: all of them by `slow`, one by its name; those of benchmarks by `slow` and their folder. */
export function findTests(under: readonly string[], slow = false): FoundTests {
  const wanted = under.map((path) => relative(root, resolve(path)))
  const found = sourceFiles(['.test.ts', '.test.mjs']).filter(
    (file) => wanted.length === 0 || wanted.some((path) => file === path || path === '' || file.startsWith(`${path}/`)),
  )
  const meant: readonly Kind[] = slow ? (wanted.length > 0 ? ['slow', 'bench'] : ['slow']) : ['usual']
  const isMeant = (file: string): boolean => meant.includes(kindOf(file)) || wanted.includes(file)
  const command = (file: string): string => `npm test -- --slow${kindOf(file) === 'bench' ? ' packages/bench' : ''}`
  const leftOut = found.filter((file) => !isMeant(file) && kindOf(file) !== 'usual')
  return { tests: found.filter(isMeant), leftOut: leftOut.map((file) => [file, command(file)]) }
}
