import type { ServiceConfig } from '@gatehouse/config'
import { createProjectedSigner, createWorkloadSigner, type WorkloadSigner } from '@gatehouse/identity'

/** Who the process is to its peers: by its key file, or by the tokens that Kubernetes projects. */
export async function openSigner(
  name: string,
  { workloadKeyFile, workloadTokenFile }: Pick<ServiceConfig, 'workloadKeyFile' | 'workloadTokenFile'>,
  now?: () => number,
): Promise<WorkloadSigner> {
  if (workloadKeyFile !== undefined) return await createWorkloadSigner(workloadKeyFile, now)
  if (workloadTokenFile === undefined) throw new TypeError('WORKLOAD_KEY_FILE is missing, or WORKLOAD_TOKEN_FILE in its place')
  return createProjectedSigner(name, workloadTokenFile)
}
