import { streamOf } from '@gatehouse/events/nats-names'
import type { Told } from '../finding.ts'
import { ofKind } from '../kinds.ts'
import { type House, isForProduction, nameOf, selects } from '../manifests.ts'
import { ownWorkloadsOf } from '../pods.ts'
import { amount, leastReplicas } from '../replicas.ts'
import { declared } from '../services.ts'

/** One decides about the number of replicas: an autoscaler, or KEDA's object, or else the Deployment itself. */
export function* scaling(house: House): Generator<Told> {
  const deployments = ofKind(house, 'Deployment')
  const scalers = [
    ...ofKind(house, 'HorizontalPodAutoscaler').map((manifest) => ({
      manifest,
      target: manifest.spec.scaleTargetRef,
      min: manifest.spec.minReplicas,
      max: manifest.spec.maxReplicas,
      utilizations: (manifest.spec.metrics ?? []).flatMap(({ resource, containerResource }) => [
        resource?.target.averageUtilization,
        containerResource?.target.averageUtilization,
      ]),
    })),
    ...ofKind(house, 'ScaledObject').map((manifest) => ({
      manifest,
      target: manifest.spec.scaleTargetRef,
      min: manifest.spec.minReplicaCount,
      max: manifest.spec.maxReplicaCount ?? 100,
      utilizations: manifest.spec.triggers.map(({ type, metricType = 'Utilization', metadata }) =>
        /^(cpu|memory)$/.test(type) && metricType === 'Utilization' ? Number(metadata.value) : undefined,
      ),
    })),
  ]
  for (const { manifest, target, min = 0, max, utilizations } of scalers) {
    for (const share of utilizations)
      if (share !== undefined && !(share >= 1 && share <= 100))
        yield [nameOf(manifest), `waits for ${share} % of what was requested: from 1 to 100 it would come in time`]
    if ((target.kind ?? 'Deployment') !== 'Deployment' || !deployments.some(({ metadata }) => metadata.name === target.name))
      yield [nameOf(manifest), `is about ${target.name}, which is no Deployment`]
    if (min < 2 && isForProduction(house)) yield [nameOf(manifest), `goes down to ${min}: one replica less and nobody answers`]
    if (max < min) yield [nameOf(manifest), `goes up to ${max}, and down to ${min}`]
  }
  for (const deployment of deployments) {
    const deciding = scalers.filter(({ target }) => target.name === deployment.metadata.name)
    if (deciding.length > 1) yield [nameOf(deployment), `is scaled by ${deciding.map(({ manifest }) => nameOf(manifest)).join(' and ')}`]
    if (deciding.length === 1 && deployment.spec.replicas !== undefined)
      yield [nameOf(deployment), 'says how many replicas it has, and so does its autoscaler: each apply would undo the other']
    if (deciding.length === 0 && deployment.spec.replicas === undefined)
      yield [nameOf(deployment), 'has one replica, because nobody says how many']
  }
  for (const scaled of ofKind(house, 'ScaledObject'))
    for (const { type, metadata } of scaled.spec.triggers) {
      if (type !== 'nats-jetstream') continue
      if (!Object.keys(declared).some((service) => streamOf(service) === metadata.stream))
        yield [nameOf(scaled), `waits for the stream ${metadata.stream}, which no service has`]
      if (metadata.consumer !== scaled.spec.scaleTargetRef.name) yield [nameOf(scaled), `counts what ${metadata.consumer} has not read`]
    }
}

/** While machines are emptied every service keeps answering, and no budget keeps a machine from being emptied. */
export function* disruption(house: House): Generator<Told> {
  const budgets = ofKind(house, 'PodDisruptionBudget')
  const own = new Set(ownWorkloadsOf(house).map(({ manifest }) => manifest))
  const deployments = ofKind(house, 'Deployment').filter((deployment) => own.has(deployment))
  for (const deployment of deployments) {
    const about = budgets.filter(({ spec }) => selects(spec.selector, deployment.spec.template.metadata?.labels))
    if (about.length !== 1) yield [nameOf(deployment), `has ${about.length} budgets for disruptions`]
  }
  for (const budget of budgets) {
    const { selector, maxUnavailable, minAvailable, unhealthyPodEvictionPolicy } = budget.spec
    const about = deployments.filter(({ spec }) => selects(selector, spec.template.metadata?.labels))
    if (about.length !== 1) yield [nameOf(budget), `is about ${about.length} Deployments`]
    if (unhealthyPodEvictionPolicy !== 'AlwaysAllow') yield [nameOf(budget), 'keeps pods that are broken from being moved']
    for (const deployment of about) {
      const pods = leastReplicas(house, deployment)
      const away =
        maxUnavailable === undefined ? pods - amount(pods, minAvailable ?? 0, Math.ceil) : amount(pods, maxUnavailable, Math.ceil)
      if (!(away >= 1)) yield [nameOf(budget), `lets none of ${pods} pods go: no machine can be emptied`]
      else if (away >= pods && pods > 1) yield [nameOf(budget), `lets all ${pods} pods go at once`]
    }
  }
}
