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

/** Longer than a developer wants to wait for on every run: CI runs them. */
const isSlow = (file: string): boolean => file.endsWith('.slow.test.ts')

/** Test files, and those that were left out because they are slow. */
export interface FoundTests {
  readonly tests: readonly string[]
  readonly leftOut: readonly string[]
}

/** The test files under these files and folders (given relative to the current folder), or all of them. Slow ones are asked for: all of them by `slow`, one by its name. */
export function findTests(under: readonly string[], slow = false): FoundTests {
  const wanted = under.map((path) => relative(root, resolve(path)))
  const found = sourceFiles(['.test.ts', '.test.mjs']).filter(
    (file) => wanted.length === 0 || wanted.some((path) => file === path || path === '' || file.startsWith(`${path}/`)),
  )
  const isMeant = (file: string): boolean => isSlow(file) === slow || wanted.includes(file)
  return { tests: found.filter(isMeant), leftOut: slow ? [] : found.filter((file) => !isMeant(file)) }
}
