import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Paths of the files below `path` that differ between two roots, or stand in one of them only; in the order of their names. */
export function differences(before: string, after: string, path: string): string[] {
  const paths = new Set([...filesBelow(before, path), ...filesBelow(after, path)])
  return [...paths].filter((each) => !same(join(before, each), join(after, each))).sort()
}

/** Makes the file in `before` like the one in `after`; one that is not there is removed. */
export function replace(before: string, after: string, path: string): void {
  if (existsSync(join(after, path))) {
    mkdirSync(dirname(join(before, path)), { recursive: true })
    cpSync(join(after, path), join(before, path))
  } else rmSync(join(before, path))
}

function filesBelow(root: string, path: string): string[] {
  const full = join(root, path)
  if (!existsSync(full)) return []
  if (statSync(full).isFile()) return [path]
  return readdirSync(full, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length).replace(/^\//, ''))
}

function same(one: string, other: string): boolean {
  return existsSync(one) && existsSync(other) && readFileSync(one).equals(readFileSync(other))
}
