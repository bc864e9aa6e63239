import { execFile, execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '@gatehouse/local'
import { linkDependencies, type ScratchTree } from './scratch-tree.ts'

const run = promisify(execFile)

/** What was released before: its name, and the commit in this clone. */
export interface Release {
  readonly name: string
  readonly commit: string
}

const git = (...args: readonly string[]): string =>
  execFileSync('git', args, { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] })
    .toString()
    .trim()

function commitOf(name: string): string | undefined {
  try {
    return git('rev-parse', '--verify', '--quiet', `${name}^{commit}`)
  } catch {
    return undefined
  }
}

/**
 * The release before this one: what GATEHOUSE_PREVIOUS_RELEASE names, else the newest tag `v…` behind HEAD, else the commit in the file
 * `packages/chaos/previous-release`. Undefined where this clone does not have it, as a shallow one may not.
 */
export function previousRelease(): Release | undefined {
  const named = process.env.GATEHOUSE_PREVIOUS_RELEASE
  const head = commitOf('HEAD')
  const tags = git('tag', '--list', 'v*', '--merged', 'HEAD', '--sort=-version:refname').split('\n')
  const kept = readFileSync(join(root, 'packages/chaos/previous-release'), 'utf8').trim()
  const candidates = named ? [named] : [...tags.filter(Boolean), kept]
  for (const name of candidates) {
    const commit = commitOf(name)
    if (commit !== undefined && commit !== head) return { name, commit }
  }
  return undefined
}

/** The tree of a release, with the dependencies that it wants. */
export async function treeOf({ commit }: Release): Promise<ScratchTree> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-release-'))
  const archive = execFileSync('git', ['archive', commit], { cwd: root, maxBuffer: 2 ** 28 })
  execFileSync('tar', ['-x', '-C', folder], { input: archive })
  // The same versions are installed here mostly; where they are not, pnpm brings them from its store or the registry.
  if (hasSameDependencies(folder)) await linkDependencies(folder)
  else await run('pnpm', ['install', '--frozen-lockfile', '--prefer-offline'], { cwd: folder, env: { ...process.env, CI: 'true' } })
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}

/** Whether everything that the services of a tree name is installed here in that very version. */
function hasSameDependencies(folder: string): boolean {
  const packages = ['packages', 'services'].flatMap((parent) => readdirSync(join(folder, parent)).map((name) => join(parent, name)))
  return [...packages, 'deploy/local'].every((place) => {
    const manifest = join(folder, place, 'package.json')
    if (!existsSync(manifest)) return true
    const { dependencies = {} } = JSON.parse(readFileSync(manifest, 'utf8')) as { dependencies?: Record<string, string> }
    return Object.entries(dependencies).every(([name, wanted]) => wanted.startsWith('workspace:') || installedIn(place, name) === wanted)
  })
}

function installedIn(place: string, name: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(join(root, place, 'node_modules', name, 'package.json'), 'utf8')) as { version: string }).version
  } catch {
    return undefined
  }
}
