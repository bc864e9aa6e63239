import { randomBytes } from 'node:crypto'
import { type FileHandle, link, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createWorkloadKey, type WorkloadJwk } from './workload.ts'

/** The files are not such that this could be done; `message` says why, and nothing of what is secret in them. */
export class WorkloadKeysRefused extends Error {
  override readonly name = 'WorkloadKeysRefused'
}

interface Files {
  /** The public keys of all workloads. */
  readonly jwksFile: string
  /** The private key of one. */
  readonly keyFile: string
}

const namePattern = /^[a-z][a-z0-9-]{0,62}$/

/**
 * Makes a key of a workload: the public half goes into the JWKS, which is made where there is none, beside those that the workload may have
 * already; then the private half into a file that is not there yet. Answers its kid.
 */
export async function addWorkloadKey(workload: string, { jwksFile, keyFile }: Files): Promise<string> {
  // The contract calls every workload so.
  if (!namePattern.test(workload) || workload === 'registered')
    throw new WorkloadKeysRefused(`${workload} is no name of a workload: use a-z, 0-9 and hyphens, a letter first`)
  if ((await stat(keyFile).catch(orMissing)) !== undefined) throw new WorkloadKeysRefused(`${keyFile} is there already: nothing was done`)
  const { privateJwk, publicJwk } = await createWorkloadKey(workload)
  await changeJwks(jwksFile, (keys) => [...keys, publicJwk], { make: true })
  await write(keyFile, JSON.stringify(privateJwk), { ...privately, fresh: true })
  return String(publicJwk.kid)
}

/** Gives the workload of a private key another one in its place. The old one's public half stays, for the tokens that are on their way. */
export async function rotateWorkloadKey({ jwksFile, keyFile }: Files): Promise<{ workload: string; kid: string; old: string }> {
  const present = await readJson<Partial<WorkloadJwk>>(keyFile)
  const { workload, kid: old } = present
  if (present.d === undefined || workload === undefined || old === undefined)
    throw new WorkloadKeysRefused(`${keyFile} holds no private key of a workload`)
  await assertOurs(keyFile)
  const { privateJwk, publicJwk } = await createWorkloadKey(workload)
  await changeJwks(jwksFile, (keys) => {
    if (!keys.some((key) => key.kid === old && key.workload === workload))
      throw new WorkloadKeysRefused(`${jwksFile} does not know the key ${old} of ${keyFile}: is it the JWKS of this house?`)
    return [...keys, publicJwk]
  })
  // From the first token on, everybody who reads the JWKS knows the key.
  await write(keyFile, JSON.stringify(privateJwk), privately)
  return { workload, kid: String(publicJwk.kid), old }
}

/** Takes a public key out of the JWKS: its tokens are refused within a second. The only one of its workload goes where `last` is said. Answers whose it was. */
export async function retireWorkloadKey(jwksFile: string, kid: string, { last = false } = {}): Promise<string> {
  let workload = ''
  await changeJwks(jwksFile, (keys) => {
    const retired = keys.find((key) => key.kid === kid)
    if (retired === undefined) throw new WorkloadKeysRefused(`${jwksFile} has no key ${kid}`)
    workload = retired.workload
    const others = keys.filter((key) => key.kid !== kid)
    if (!last && !others.some((key) => key.workload === workload))
      throw new WorkloadKeysRefused(`${kid} is the only key of ${workload}, which could call nobody then; nothing was done`)
    return others
  })
  return workload
}

export async function listWorkloadKeys(jwksFile: string): Promise<readonly WorkloadJwk[]> {
  const { keys } = await readJson<{ keys?: WorkloadJwk[] }>(jwksFile)
  if (!Array.isArray(keys)) throw new WorkloadKeysRefused(`${jwksFile} is no JWKS`)
  if (keys.some(({ d }) => d !== undefined)) throw new WorkloadKeysRefused(`${jwksFile} holds a private key: take its "d" out first`)
  return keys
}

/** One command at a time: what another one has just added would be lost. */
async function changeJwks(file: string, change: (keys: readonly WorkloadJwk[]) => readonly WorkloadJwk[], { make = false } = {}) {
  const lock = `${file}.lock`
  const held = await open(lock, 'wx').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
    throw new WorkloadKeysRefused(`${lock} is there: another command changes the file. Remove it when none does`)
  })
  try {
    const isMissing = make && (await stat(file).catch(orMissing)) === undefined
    const before = isMissing ? [] : await listWorkloadKeys(file)
    await write(file, `${JSON.stringify({ keys: change(before) }, undefined, 2)}\n`, { ...openly, fresh: isMissing })
  } finally {
    await held.close()
    await rm(lock)
  }
}

interface Written {
  /** Of a file that is made. */
  readonly mode: number
  /** What a file that was there may keep of its mode: whoever reads it as the owner's group goes on. */
  readonly keeps: number
  /** Overwrites nothing. */
  readonly fresh?: boolean
}

const privately = { mode: 0o600, keeps: 0o660 }
const openly = { mode: 0o644, keeps: 0o666 }

/** Readers see the old file or the new one, whole and under the same owner. */
async function write(file: string, text: string, { mode, keeps, fresh = false }: Written): Promise<void> {
  const target = await realpath(file).catch(() => file)
  const present = await stat(target).catch(orMissing)
  const draft = `${target}.${randomBytes(4).toString('hex')}.new`
  try {
    await using handle: FileHandle = await open(draft, 'wx', 0o600)
    if (present !== undefined && process.getuid?.() === 0) await handle.chown(present.uid, present.gid)
    await handle.chmod(present === undefined ? mode : present.mode & keeps)
    await handle.writeFile(text)
    await handle.sync()
    await (fresh ? link(draft, target) : rename(draft, target))
  } finally {
    await rm(draft, { force: true })
  }
  await using folder = await open(dirname(target))
  await folder.sync()
}

/** A file in the place of somebody else's would be ours, and its reader locked out. */
async function assertOurs(file: string): Promise<void> {
  const { uid } = await stat(file)
  const us = process.getuid?.()
  if (us !== undefined && us !== 0 && us !== uid)
    throw new WorkloadKeysRefused(`${file} belongs to another user: run this as its owner, or as root`)
}

async function readJson<T extends object>(file: string): Promise<T> {
  const text = await readFile(file, 'utf8')
  try {
    return JSON.parse(text) as T
  } catch {
    // The parser quotes what it read, which may be a key.
    throw new WorkloadKeysRefused(`${file} is no JSON`)
  }
}

function orMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
