import type { Told } from '../finding.ts'
import { ofKind } from '../kinds.ts'
import { type House, nameOf } from '../manifests.ts'
import { ownWorkloadsOf, workloadsOf } from '../pods.ts'

/** Pods may do what the restricted profile of Pod Security allows, write nothing, and are nobody known to the machine. */
export function* restricted(house: House): Generator<Told> {
  const ours = new Set(ownWorkloadsOf(house).map(({ manifest }) => manifest))
  for (const { where, manifest, pod } of workloadsOf(house)) {
    if (pod.hostNetwork || pod.hostPID || pod.hostIPC) yield [where, "takes part in its machine's own namespaces"]
    for (const { hostPort } of pod.containers.flatMap(({ ports = [] }) => ports))
      if (hostPort !== undefined) yield [where, `opens port ${hostPort} of its machine`]
    for (const volume of pod.volumes ?? []) if ('hostPath' in volume) yield [where, `mounts ${volume.name} from its machine`]
    for (const { name, securityContext: own } of [...pod.containers, ...(pod.initContainers ?? [])]) {
      const context = { ...pod.securityContext, ...own }
      const wanted: Readonly<Record<string, boolean>> = {
        'readOnlyRootFilesystem: true': context.readOnlyRootFilesystem === true,
        'allowPrivilegeEscalation: false': context.allowPrivilegeEscalation === false,
        'runAsNonRoot: true': context.runAsNonRoot === true,
        // The images of others have users of their own.
        'runAsUser above 10000': (context.runAsUser ?? 0) > (ours.has(manifest) ? 10_000 : 0),
        'capabilities.drop: [ALL]': context.capabilities?.drop?.includes('ALL') === true && !context.capabilities.add?.length,
        'seccompProfile: RuntimeDefault': context.seccompProfile?.type === 'RuntimeDefault',
        'no privileged: true': context.privileged !== true,
      }
      for (const [says, holds] of Object.entries(wanted)) if (!holds) yield [where, `container ${name} lacks ${says}`]
    }
  }
  for (const namespace of ofKind(house, 'Namespace'))
    if (namespace.metadata.labels?.['pod-security.kubernetes.io/enforce'] !== 'restricted')
      yield [nameOf(namespace), 'does not enforce the restricted profile']
}
