import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from './service-process.ts'

const run = promisify(execFile)
const sources = ['packages/console', 'packages/web/src', 'packages/contracts/src', 'pnpm-lock.yaml']

/** Builds the pages when their sources changed since the last build, and answers their folder. Rejects with what the bundler said. */
export async function buildConsole(): Promise<string> {
  const folder = join(root, 'packages/console/dist')
  const mark = join(folder, '.built-from')
  const hash = createHash('sha256')
  for (const source of sources) await digest(join(root, source), hash)
  const now = hash.digest('hex')
  if (existsSync(mark) && (await readFile(mark, 'utf8')) === now) return folder
  await run(process.execPath, [join(root, 'packages/console/node_modules/vite/bin/vite.js'), 'build', '--logLevel', 'warn'], {
    cwd: join(root, 'packages/console'),
  })
  await writeFile(mark, now)
  return folder
}

async function digest(path: string, hash: ReturnType<typeof createHash>): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined)
  if (!entries) {
    hash.update(path).update(await readFile(path))
    return
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name !== 'node_modules' && entry.name !== 'dist') await digest(join(path, entry.name), hash)
  }
}
