import { execFile } from 'node:child_process'
import { access, constants, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { isNewEnough } from '@gatehouse/events/server-version'
import { fromDebian } from './debian/archive.ts'
import { SetupProblem } from './setup-problem.ts'

export type FindNatsOptions = {
  /** Default: PATH. */
  readonly path?: string
  /** Default: .toolchain/nats-server of this repository. */
  readonly cacheDir?: string
  readonly log?: (line: string) => void
}

const repositoryCache = fileURLToPath(new URL('../../../.toolchain/nats-server', import.meta.url))

/**
 * The path of a nats-server that is new enough: on PATH, else one that was brought earlier, else one that is brought now
 * from the Debian archive that this machine's apt knows, with apt's own check of signatures and no change to the system.
 * Throws SetupProblem when there is none to be had.
 */
export async function findNatsServer({
  path = process.env.PATH ?? '',
  cacheDir = repositoryCache,
  log,
}: FindNatsOptions = {}): Promise<string> {
  const present = await onPath(path)
  const presentVersion = present && (await versionOf(present))
  if (present && presentVersion && isNewEnough(presentVersion)) return present
  const cached = await cachedIn(cacheDir)
  if (cached) return cached

  const tooOld = presentVersion && `The nats-server ${presentVersion} at ${present} is too old (2.12.12, or 2.14.3 and newer, is needed).`
  if (tooOld) log?.(`${tooOld} Looking for a newer one.`)
  try {
    await mkdir(cacheDir, { recursive: true })
    const staging = await mkdtemp(join(cacheDir, 'fetching-'))
    try {
      const file = join(staging, 'usr', 'sbin', 'nats-server')
      // Testing's needs a libc that Debian 12 has already, so that it comes without libraries.
      await fromDebian('nats-server', { log }, async (archive) => {
        const [deb = ''] = await archive.download(['nats-server'])
        await promisify(execFile)('dpkg-deb', ['-x', deb, staging])
      })
      const version = await versionOf(file)
      if (!version || !isNewEnough(version))
        throw new SetupProblem(`Debian's nats-server is ${version ?? 'not for this machine'}; 2.12.12 or newer is needed.`)
      const place = join(cacheDir, `nats-server-${version}`)
      await rename(file, place)
      return place
    } finally {
      await rm(staging, { recursive: true, force: true })
    }
  } catch (cause) {
    const why =
      cause instanceof SetupProblem
        ? cause.message
        : `A nats-server could not be brought: ${cause instanceof Error ? cause.message : String(cause)}`
    throw new SetupProblem(
      `${tooOld ? `${tooOld} ` : ''}${why} Way out: put a nats-server 2.14.3 or newer on PATH (https://nats.io/download).`,
      { cause },
    )
  }
}

async function onPath(path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter)) {
    const file = join(folder || '.', 'nats-server')
    if (await isExecutable(file)) return file
  }
  return undefined
}

async function cachedIn(folder: string): Promise<string | undefined> {
  for (const name of (await readdir(folder).catch(() => [])).sort().reverse()) {
    const version = /^nats-server-(.+)$/.exec(name)?.[1]
    if (version && isNewEnough(version) && (await isExecutable(join(folder, name)))) return join(folder, name)
  }
  return undefined
}

const isExecutable = (file: string): Promise<boolean> =>
  access(file, constants.X_OK).then(
    () => true,
    () => false,
  )

async function versionOf(file: string): Promise<string | undefined> {
  const answer = await promisify(execFile)(file, ['--version'], { timeout: 10_000 }).catch(() => undefined)
  return answer && /v?(\d+\.\d+\.\d+)/.exec(answer.stdout)?.[1]
}
