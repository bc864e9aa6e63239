import { ofKind } from './kinds.ts'
import type { House, Manifest } from './manifests.ts'

/** How many replicas a Deployment has at the least, by whoever decides about them. */
export function leastReplicas(house: House, { metadata: { name }, spec }: Manifest<{ readonly replicas?: number }>): number {
  const scaler = ofKind(house, 'HorizontalPodAutoscaler').find((each) => each.spec.scaleTargetRef.name === name)
  const scaled = ofKind(house, 'ScaledObject').find((each) => each.spec.scaleTargetRef.name === name)
  return spec.replicas ?? scaler?.spec.minReplicas ?? scaled?.spec.minReplicaCount ?? 1
}

/** What a number or a share such as `25%` comes to, of so many; which way shares are rounded is each API's own. */
export function amount(of: number, value: number | string, round: (share: number) => number): number {
  const share = /^(\d+)%$/.exec(String(value))?.[1]
  return share === undefined ? Number(value) : round((of * Number(share)) / 100)
}
