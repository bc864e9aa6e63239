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

/** The test files under these files and folders (given relative to the current folder), or all of them. */
export function findTests(under: readonly string[]): string[] {
  const wanted = under.map((path) => relative(root, resolve(path)))
  return sourceFiles(['.test.ts', '.test.mjs']).filter(
    (file) => wanted.length === 0 || wanted.some((path) => file === path || path === '' || file.startsWith(`${path}/`)),
  )
}
