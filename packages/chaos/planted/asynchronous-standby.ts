import type { PlantedFault } from './planted-fault.ts'

export const asynchronousStandby: PlantedFault = {
  name: 'asynchronous-standby',
  mistake: 'the primary acknowledges what its standby does not have yet',
  scenario: 'database-failover',
  rules: ['acknowledged-writes'],
  edits: [],
  house: { standby: 'asynchronous' },
}
