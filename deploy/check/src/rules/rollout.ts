import type { Told } from '../finding.ts'
import { ofKind } from '../kinds.ts'
import { type House, isForProduction, nameOf } from '../manifests.ts'
import { ownWorkloadsOf, type PodTemplate } from '../pods.ts'
import { amount, leastReplicas } from '../replicas.ts'

/** A release comes while somebody answers, is not called a failure before its pods could start, and its Job comes to an end by itself. */
export function* rollout(house: House): Generator<Told> {
  const own = new Set(ownWorkloadsOf(house).map(({ manifest }) => manifest))
  for (const deployment of ofKind(house, 'Deployment')) {
    if (!own.has(deployment)) continue
    const { template, minReadySeconds = 0, progressDeadlineSeconds = 600, strategy } = deployment.spec
    const slowest = secondsToStart(template) + minReadySeconds
    if (progressDeadlineSeconds <= slowest)
      yield [nameOf(deployment), `is given up after ${progressDeadlineSeconds} s, and its pods may take ${slowest} s to start`]
    if (deployment.spec.paused) yield [nameOf(deployment), 'is paused: no release comes']
    if (deployment.spec.revisionHistoryLimit === 0) yield [nameOf(deployment), 'keeps no release to go back to']
    if (!isForProduction(house)) continue
    const pods = leastReplicas(house, deployment)
    const { maxUnavailable = '25%', maxSurge = '25%' } = strategy?.rollingUpdate ?? {}
    const away = strategy?.type === 'Recreate' ? pods : amount(pods, maxUnavailable, Math.floor)
    if (away >= pods) yield [nameOf(deployment), `lets all ${pods} pods go at once for a release: nobody answers`]
    else if (away === 0 && amount(pods, maxSurge, Math.ceil) === 0)
      yield [nameOf(deployment), 'lets no pod go before another comes, and none come before one goes']
  }
  for (const job of ofKind(house, 'Job')) {
    const { restartPolicy } = job.spec.template.spec
    if (restartPolicy !== 'Never' && restartPolicy !== 'OnFailure')
      yield [nameOf(job), `has restartPolicy ${restartPolicy}, which no Job may have`]
    for (const bound of ['activeDeadlineSeconds', 'backoffLimit'] as const)
      if (job.spec[bound] === undefined)
        yield [nameOf(job), `has no ${bound}: it may try without an end, or gives up by somebody else's number`]
  }
}

/** As long as the kubelet waits for the slowest container to have started. */
const secondsToStart = ({ spec }: PodTemplate): number =>
  Math.max(
    ...spec.containers.map(({ startupProbe: probe, readinessProbe }) =>
      probe
        ? (probe.initialDelaySeconds ?? 0) + (probe.periodSeconds ?? 10) * (probe.failureThreshold ?? 3)
        : (readinessProbe?.initialDelaySeconds ?? 0),
    ),
  )
