import { createHash } from 'node:crypto'
import { chmod, lstat, mkdir, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { SetupProblem } from './setup-problem.ts'

/** The user who PostgreSQL runs as when we are root, which it refuses to be. */
export type RunAs = { readonly uid: number; readonly gid: number; readonly name: string }

export type PostgresHome = {
  /** Where the cluster lives: `dataDir` itself, or behind a link there. */
  readonly data: string
  readonly as?: RunAs
  /** Deletes the cluster and whatever leads to it. */
  readonly remove: () => Promise<void>
}

/**
 * Finds the place for a cluster. An ordinary user has it in `dataDir`. As root it lies under /var/tmp, with a link at `dataDir`:
 * PostgreSQL then runs as another user, who cannot enter a closed home. Without the link the cluster there is forgotten,
 * so that a new clone (or a reset) at the same path begins empty.
 */
export async function postgresHome(dataDir: string): Promise<PostgresHome> {
  const link = resolve(dataDir)
  await mkdir(dirname(link), { recursive: true })
  const removeAll = async (paths: string[]): Promise<void> => {
    for (const path of paths) await rm(path, { recursive: true, force: true })
  }
  if (process.getuid?.() !== 0) return { data: link, remove: () => removeAll([link]) }
  const outside = await ownFolderUnderVarTmp(shortHash(link), 0o711)
  const data = join(outside, 'data')
  const found = await lstat(link).catch(() => undefined)
  if (found && !found.isSymbolicLink()) {
    throw new SetupProblem(
      `${link} was made by another user and root cannot run PostgreSQL over it: start as that user, or delete that folder.`,
    )
  }
  if (!found || (await readlink(link)) !== data) {
    await rm(data, { recursive: true, force: true })
    await rm(link, { force: true })
    await symlink(data, link)
  }
  await writeFile(join(outside, originFile), link)
  await removeOrphans()
  const owner = await stat(data).catch(() => undefined)
  return { data, as: await unprivilegedUser(owner?.uid), remove: () => removeAll([link, outside]) }
}

const originFile = 'linked-from'

/** What tests that were killed left in /var/tmp: clusters whose link stood in a temporary folder that is gone. Others may be on a disk that comes back. */
async function removeOrphans(): Promise<void> {
  for (const name of await readdir('/var/tmp')) {
    const outside = join('/var/tmp', name)
    const found = name.startsWith('gatehouse-0-') ? await lstat(outside).catch(() => undefined) : undefined
    if (!found?.isDirectory() || found.uid !== 0) continue
    const link = await readFile(join(outside, originFile), 'utf8').catch(() => '')
    if (link.startsWith(`${tmpdir()}/`) && !(await lstat(link).catch(() => undefined))) await rm(outside, { recursive: true, force: true })
  }
}

/** A folder of ours in /var/tmp, where anyone may make one first: refused unless it is really a folder of this user's. */
export async function ownFolderUnderVarTmp(name: string, mode: number): Promise<string> {
  const uid = process.getuid?.() ?? 0
  const path = `/var/tmp/gatehouse-${uid}-${name}`
  await mkdir(path, { mode }).catch(() => undefined)
  const found = await lstat(path).catch(() => undefined)
  if (!found?.isDirectory() || found.uid !== uid || (found.mode & 0o022) !== 0) {
    throw new SetupProblem(`${path} cannot be used because it does not belong to this user alone: delete it and start again.`)
  }
  await chmod(path, mode)
  return path
}

/** Whom a server that refuses to be root runs as; undefined for whoever is not root. */
export async function userForServers(): Promise<RunAs | undefined> {
  return process.getuid?.() === 0 ? await unprivilegedUser(undefined) : undefined
}

/** The owner of an existing cluster; else `postgres` where there is one; else `nobody`: nothing on the system is changed. */
async function unprivilegedUser(ownerUid: number | undefined): Promise<RunAs> {
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'))
  const wanted = [
    (user: string[]) => user[2] === String(ownerUid ?? ''),
    (user: string[]) => user[0] === 'postgres',
    (user: string[]) => user[0] === 'nobody',
  ]
  for (const fits of wanted) {
    const user = users.find((candidate) => fits(candidate) && candidate[2] !== '0')
    if (user?.[0] && user[2] && user[3]) return { name: user[0], uid: Number(user[2]), gid: Number(user[3]) }
  }
  throw new SetupProblem(
    'PostgreSQL refuses to run as root and there is no user "postgres" or "nobody" to run it as: start as an ordinary user.',
  )
}

export const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12)
