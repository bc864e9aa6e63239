import type { Mistake } from './mistake.ts'

const pod = 'spec.template.spec'

export const mistakesInReplicas: readonly Mistake[] = [
  {
    name: 'a number of replicas beside an autoscaler',
    rule: 'scaling',
    says: /each apply would undo the other/,
    plant: (house) => house.set('Deployment', 'auth', 'spec.replicas', 3),
  },
  {
    name: 'two who decide about replicas',
    rule: 'scaling',
    says: /is scaled by HorizontalPodAutoscaler auth and ScaledObject auth/,
    house: 'production-keda',
    plant: (house) =>
      house.put({
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: { name: 'auth', namespace: 'gatehouse' },
        spec: { scaleTargetRef: { kind: 'Deployment', name: 'auth' }, minReplicas: 2, maxReplicas: 3 },
      }),
  },
  {
    name: 'nobody who decides about replicas',
    rule: 'scaling',
    says: /nobody says how many/,
    plant: (house) => house.drop('HorizontalPodAutoscaler', 'auth'),
  },
  {
    name: 'an autoscaler of nobody',
    rule: 'scaling',
    says: /is about oauth, which is no Deployment/,
    plant: (house) => house.set('HorizontalPodAutoscaler', 'auth', 'spec.scaleTargetRef.name', 'oauth'),
  },
  {
    name: 'an autoscaler that leaves one replica',
    rule: 'scaling',
    says: /goes down to 1/,
    plant: (house) => house.set('HorizontalPodAutoscaler', 'auth', 'spec.minReplicas', 1),
  },
  {
    name: 'a stream that no service has',
    rule: 'scaling',
    house: 'production-keda',
    says: /waits for the stream gatehouse-users/,
    plant: (house) => house.set('ScaledObject', 'notification', 'spec.triggers.1.metadata.stream', 'gatehouse-users'),
  },
  {
    name: 'a budget that lets no machine be emptied',
    rule: 'disruption',
    says: /lets none of 2 pods go/,
    plant: (house) => {
      house.set('PodDisruptionBudget', 'auth', 'spec.maxUnavailable', undefined)
      house.set('PodDisruptionBudget', 'auth', 'spec.minAvailable', 2)
    },
  },
  {
    name: 'a budget that lets all go at once',
    rule: 'disruption',
    says: /lets all 2 pods go/,
    plant: (house) => house.set('PodDisruptionBudget', 'auth', 'spec.maxUnavailable', 2),
  },
  {
    name: 'a budget of nobody',
    rule: 'disruption',
    says: /is about 0 Deployments/,
    plant: (house) => house.set('PodDisruptionBudget', 'auth', 'spec.selector.matchLabels', { app: 'auth' }),
  },
  {
    name: 'a budget that keeps broken pods',
    rule: 'disruption',
    says: /keeps pods that are broken/,
    plant: (house) => house.set('PodDisruptionBudget', 'auth', 'spec.unhealthyPodEvictionPolicy', undefined),
  },
  {
    name: 'a service without a budget',
    rule: 'disruption',
    says: /Deployment console: has 0 budgets/,
    plant: (house) => house.drop('PodDisruptionBudget', 'console'),
  },
  {
    name: 'an autoscaler that waits for what never comes',
    rule: 'scaling',
    says: /^HorizontalPodAutoscaler auth: waits for 7000 %/,
    plant: (house) => house.set('HorizontalPodAutoscaler', 'auth', 'spec.metrics.0.resource.target.averageUtilization', 7000),
  },
  {
    name: 'an object of KEDA that waits for what never comes',
    rule: 'scaling',
    house: 'production-keda',
    says: /^ScaledObject auth: waits for 700 %/,
    plant: (house) => house.set('ScaledObject', 'auth', 'spec.triggers.0.metadata.value', '700'),
  },
  {
    name: 'a budget of a share that is everybody',
    rule: 'disruption',
    says: /lets all 2 pods go/,
    plant: (house) => house.set('PodDisruptionBudget', 'auth', 'spec.maxUnavailable', '100%'),
  },
  {
    name: 'a release that ends all before one comes',
    rule: 'rollout',
    says: /^Deployment auth: lets all 2 pods go at once for a release/,
    plant: (house) => house.set('Deployment', 'auth', 'spec.strategy.rollingUpdate.maxUnavailable', '100%'),
  },
  {
    name: 'a release that begins with the end of everybody',
    rule: 'rollout',
    says: /lets all 2 pods go at once for a release/,
    plant: (house) => house.set('Deployment', 'auth', 'spec.strategy', { type: 'Recreate' }),
  },
  {
    name: 'a release that can never begin',
    rule: 'rollout',
    says: /lets no pod go before another comes, and none come before one goes/,
    plant: (house) => house.set('Deployment', 'auth', 'spec.strategy.rollingUpdate.maxSurge', '0%'),
  },
  {
    name: 'a release that is given up before its pods can have started',
    rule: 'rollout',
    says: /^Deployment auth: is given up after 5 s, and its pods may take 125 s to start/,
    plant: (house) => house.set('Deployment', 'auth', 'spec.progressDeadlineSeconds', 5),
  },
  {
    name: 'a start that was given longer than the release has',
    rule: 'rollout',
    says: /its pods may take 2005 s to start/,
    plant: (house) => house.set('Deployment', 'auth', `${pod}.containers.0.startupProbe.failureThreshold`, 1000),
  },
  {
    name: 'a Job without an end',
    rule: 'rollout',
    says: /^Job auth-migrate-0\.1\.0: has no activeDeadlineSeconds/,
    plant: (house) => house.set('Job', 'auth-migrate-0.1.0', 'spec.activeDeadlineSeconds', undefined),
  },
  {
    name: "a Job that tries as often as it is somebody else's default",
    rule: 'rollout',
    says: /^Job auth-migrate-0\.1\.0: has no backoffLimit/,
    plant: (house) => house.set('Job', 'auth-migrate-0.1.0', 'spec.backoffLimit', undefined),
  },
  {
    name: 'pods that one machine may have all of',
    rule: 'spread',
    says: /^Deployment auth: may have all of its 2 pods on one machine/,
    plant: (house) => house.set('Deployment', 'auth', `${pod}.topologySpreadConstraints`, undefined),
  },
  {
    name: 'pods that are spread over zones alone',
    rule: 'spread',
    says: /nothing spreads them over kubernetes\.io\/hostname/,
    plant: (house) => house.set('Deployment', 'auth', `${pod}.topologySpreadConstraints.1`, undefined),
  },
  {
    name: 'an autoscaler of another kind of thing',
    rule: 'scaling',
    says: /is about auth, which is no Deployment/,
    plant: (house) => house.set('HorizontalPodAutoscaler', 'auth', 'spec.scaleTargetRef.kind', 'StatefulSet'),
  },
  {
    name: 'a spread that allows all on one node',
    rule: 'spread',
    says: /may have all of its 2 pods on one machine/,
    plant: (house) => house.set('Deployment', 'auth', `${pod}.topologySpreadConstraints.1.maxSkew`, 2),
  },
  {
    name: 'a release that never comes',
    rule: 'rollout',
    says: /is paused: no release comes/,
    plant: (house) => house.set('Deployment', 'auth', 'spec.paused', true),
  },
  {
    name: 'nothing to go back to',
    rule: 'rollout',
    says: /keeps no release to go back to/,
    plant: (house) => house.set('Deployment', 'auth', 'spec.revisionHistoryLimit', 0),
  },
  {
    name: 'a Job that begins anew for ever',
    rule: 'rollout',
    says: /has restartPolicy Always, which no Job may have/,
    plant: (house) => house.set('Job', 'auth-migrate-0.1.0', `${pod}.restartPolicy`, 'Always'),
  },
  {
    name: 'a release without its migration',
    rule: 'migrations',
    says: /^Deployment auth: waits for its schema, and 0 Jobs migrate auth to 0\.1\.0/,
    plant: (house) => house.drop('Job', 'auth-migrate-0.1.0'),
  },
  {
    name: "a Job that migrates another's schema",
    rule: 'migrations',
    says: /^Deployment auth: waits for its schema, and 0 Jobs/,
    plant: (house) => house.set('Job', 'auth-migrate-0.1.0', `${pod}.containers.0.args.2`, 'user'),
  },
  {
    name: 'a Job with the name of the release before',
    rule: 'migrations',
    says: /^Job auth-migrate-0\.0\.9: is not called after its release/,
    plant: (house) => {
      house.copy('Job', 'auth-migrate-0.1.0', 'auth-migrate-0.0.9')
      house.drop('Job', 'auth-migrate-0.1.0')
    },
  },
]
