import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { SetupProblem } from '../setup-problem.ts'
import { fromDebian, OutOfReach } from './archive.ts'
import { librariesOf } from './libraries.ts'
import { useOwnLibraries } from './own-libraries.ts'
import { type DebianProgram, type DebianProgramName, debianPrograms } from './programs.ts'

const run = promisify(execFile)
const repositoryCache = fileURLToPath(new URL('../../../../.toolchain/debian', import.meta.url))

export type BroughtProgram = { readonly path: string; readonly version: string }

/** Where a program is, or in one sentence why it is not to be had: who asks decides whether that is an error, and mostly by whether Debian was out of reach or bringing broke. */
export type Brought = BroughtProgram | { readonly path?: never; readonly why: string; readonly outOfReach: boolean }

export type BringOptions = {
  /** Default: PATH. */
  readonly path?: string
  /** Default: .toolchain/debian of this repository. */
  readonly cacheDir?: string
  /** Where apt's sources are named; default: /etc/apt. */
  readonly aptFolder?: string
  readonly log?: (line: string) => void
}

/**
 * The path of a program that Debian has and this machine need not: on PATH when it is new enough, else brought earlier, else
 * brought now with the libraries it needs. Takes up to a minute the first time, and the network: nothing that
 * `npm start` or `npm test` does by itself may call it.
 */
export async function bringDebianProgram(name: DebianProgramName, options: BringOptions = {}): Promise<Brought> {
  const wanted: DebianProgram = debianPrograms[name]
  const { path = process.env.PATH ?? '', cacheDir = repositoryCache, aptFolder, log } = options
  for (const folder of path.split(delimiter)) {
    const present = join(folder || '.', name)
    const version = await answerOf(present, wanted)
    if (version !== undefined && isEnough(version, wanted)) return { path: present, version }
  }
  const kept = await cached(cacheDir, name, wanted)
  if (kept) return kept
  try {
    return await fromDebian(name, { path, log, ...(aptFolder !== undefined && { aptFolder }) }, async (archive) => {
      await mkdir(cacheDir, { recursive: true })
      const staging = await mkdtemp(join(cacheDir, 'fetching-'))
      try {
        const version = /^Version: (.*)$/m.exec(await archive.show([wanted.package]))?.[1] ?? ''
        if (!isEnough(version, wanted)) throw new SetupProblem(`Debian's ${name} ${version} is too old.`)
        await unpack(await archive.download([wanted.package]), staging)
        const place = join(cacheDir, `${name}-${version}`)
        // Most of Go's programs run on an older libc as they are.
        if ((await answerOf(join(staging, wanted.file), wanted)) === undefined) {
          const libraries = await librariesOf(archive, wanted.package)
          log?.(`… and ${libraries.length} libraries, down to the libc`)
          await unpack(await archive.download(libraries), staging)
          await useOwnLibraries(staging, wanted.file, place)
        }
        const path = join(place, wanted.file)
        // Whoever brought it meanwhile may be running it: only what does not work is taken away.
        await rename(staging, place).catch(async () => {
          if ((await answerOf(path, wanted)) !== undefined) return
          await rm(place, { recursive: true, force: true })
          await rename(staging, place)
        })
        if ((await answerOf(path, wanted)) === undefined) throw new SetupProblem(`Debian's ${name} ${version} does not run here.`)
        return { path, version }
      } finally {
        await rm(staging, { recursive: true, force: true })
      }
    })
  } catch (error) {
    const reason = error instanceof SetupProblem ? error.message : `${name} could not be brought: ${(error as Error).message}`
    const why = `${reason} It is needed ${wanted.use}: put ${name} ${wanted.atLeast.join('.')} or newer on PATH.`
    return { why, outOfReach: error instanceof OutOfReach }
  }
}

async function cached(folder: string, name: string, wanted: DebianProgram): Promise<Brought | undefined> {
  for (const entry of (await readdir(folder).catch(() => [])).sort().reverse()) {
    const version = entry.startsWith(`${name}-`) ? entry.slice(name.length + 1) : ''
    const path = join(folder, entry, wanted.file)
    // Its loader may be written into it with its whole path: once the clone has moved it does not start, and is brought again.
    if (isEnough(version, wanted) && (await answerOf(path, wanted)) !== undefined) return { path, version }
  }
  return undefined
}

/** What the program says when it is asked for its version; undefined when it does not run. Debian's kustomize says "(devel)". */
async function answerOf(path: string, wanted: DebianProgram): Promise<string | undefined> {
  const said = await run(path, wanted.version, { timeout: 20_000 }).catch(() => undefined)
  return said && (/\d+\.\d+(\.\d+)*/.exec(`${said.stdout}${said.stderr}`)?.[0] ?? '')
}

function isEnough(version: string, { atLeast: [leastMajor, leastMinor] }: DebianProgram): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version) ?? []
  return Number(major) > leastMajor || (Number(major) === leastMajor && Number(minor) >= leastMinor)
}

async function unpack(debs: readonly string[], folder: string): Promise<void> {
  for (const deb of debs) await run('dpkg-deb', ['-x', deb, folder])
}
