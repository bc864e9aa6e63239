import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createWorkloadKey } from '@gatehouse/identity'
import { serviceNames } from './options.ts'

/** What only this machine's Gatehouse knows; made at the first start and kept in `secrets.json`, readable by its owner only. */
export interface Secrets {
  readonly database: Readonly<Record<'user' | 'auth' | 'notification', string>>
  readonly nats: Readonly<Record<'user' | 'auth' | 'notification' | 'streams' | 'subscriber', string>>
  /** 32 bytes each, in base64. */
  readonly requestKey: Readonly<Record<'user' | 'auth' | 'notification', string>>
  readonly keyEncryptionKey: string
  readonly challengeKey: string
}

/** Writes a file that only its owner can read, whole or not at all. */
export async function writePrivately(path: string, content: string): Promise<void> {
  const draft = `${path}.${process.pid}.new`
  await writeFile(draft, content, { mode: 0o600 })
  await rename(draft, path)
}

/** The secrets of a state folder, made when there are none. */
export async function secretsOf(folder: string): Promise<Secrets> {
  const file = join(folder, 'secrets.json')
  const kept = existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as Secrets) : undefined
  if (kept?.nats.streams) return kept
  const word = () => randomBytes(24).toString('base64url')
  const key = () => randomBytes(32).toString('base64')
  const secrets: Secrets = {
    database: { user: word(), auth: word(), notification: word() },
    requestKey: { user: key(), auth: key(), notification: key() },
    keyEncryptionKey: key(),
    challengeKey: key(),
    // What is kept may be of a release that knew fewer.
    ...kept,
    nats: { user: word(), auth: word(), notification: word(), streams: word(), subscriber: word(), ...kept?.nats },
  }
  await writePrivately(file, `${JSON.stringify(secrets, undefined, 2)}\n`)
  return secrets
}

/** Paths of the workloads' keys: a private one for each service and for the example, and the set of public ones that all services read. */
export async function workloadKeysOf(folder: string): Promise<{ jwksFile: string; keyFile: (name: string) => string }> {
  const keys = join(folder, 'workloads')
  const jwksFile = join(keys, 'jwks.json')
  const keyFile = (name: string) => join(keys, `${name}.json`)
  if (existsSync(jwksFile)) return { jwksFile, keyFile }
  await mkdir(keys, { recursive: true, mode: 0o700 })
  const made = await Promise.all([...serviceNames, 'example'].map(async (name) => ({ name, ...(await createWorkloadKey(name)) })))
  for (const { name, privateJwk } of made) await writePrivately(keyFile(name), JSON.stringify(privateJwk))
  await writePrivately(jwksFile, JSON.stringify({ keys: made.map(({ publicJwk }) => publicJwk) }))
  return { jwksFile, keyFile }
}

/** Leaves the variables of a service where the `gatehouse` command finds them, in a file that only its owner can read. */
export async function writeEnvironment(folder: string, name: string, env: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(join(folder, 'env'), { recursive: true, mode: 0o700 })
  const lines = Object.entries(env).map(([variable, value]) => `${variable}=${JSON.stringify(value)}`)
  await writePrivately(join(folder, 'env', `${name}.env`), `${lines.join('\n')}\n`)
}
