import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { freePorts, type Local, startLocal } from '@gatehouse/local'

/** A whole Gatehouse as `npm start` runs it: real processes, real Postgres that survives a power cut, real NATS, on free ports. */
export interface House extends AsyncDisposable {
  readonly local: Local
  /** Variables of the example, another team's service. */
  readonly example: Readonly<Record<string, string>>
  /** Bearer token of an administrator, good for five minutes more. */
  adminToken(): Promise<string>
}

/** Starts one in a folder of its own; what services log goes no further than the warnings. Only a smoke can do without a durable Postgres. */
export async function openHouse(durable = true): Promise<House> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-'))
  await using opening = new AsyncDisposableStack()
  opening.defer(() => rm(folder, { recursive: true, force: true }))
  const local = opening.use(await startLocal({ folder, ports: await freePorts(), durable }))
  const example = parseEnv(await readFile(join(folder, 'env', 'example.env'), 'utf8')) as Record<string, string>
  const owned = opening.move()
  return {
    local,
    example,
    adminToken: async () => (await readFile(local.adminTokenFile, 'utf8')).trim(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
