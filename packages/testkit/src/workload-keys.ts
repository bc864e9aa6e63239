import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createWorkloadKey } from '@gatehouse/identity'

/** Key files of workloads in a folder of their own. */
export type WorkloadKeys = AsyncDisposable & {
  /** The public keys, which every service reads. */
  readonly jwksFile: string
  /** The private key of one workload. */
  readonly fileOf: (workload: string) => string
}

/** Makes a key for each of these workloads; disposing removes them. */
export async function workloadKeys(workloads: readonly string[]): Promise<WorkloadKeys> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-workloads-'))
  const fileOf = (workload: string): string => join(folder, `${workload}.json`)
  const keys = await Promise.all(
    workloads.map(async (workload) => {
      const { privateJwk, publicJwk } = await createWorkloadKey(workload)
      await writeFile(fileOf(workload), JSON.stringify(privateJwk))
      return publicJwk
    }),
  )
  const jwksFile = join(folder, 'workloads-public.json')
  await writeFile(jwksFile, JSON.stringify({ keys }))
  return { jwksFile, fileOf, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}
