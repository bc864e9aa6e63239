import type { PlantedFault } from './planted-fault.ts'

export const oneCopy: PlantedFault = {
  name: 'one-copy',
  mistake: 'the streams of a cluster of three have one copy',
  scenario: 'broker-cluster',
  rules: ['cluster-copies', 'cluster-follow'],
  edits: [],
  house: { copies: 1 },
}
