import type { PlantedFault } from './planted-fault.ts'

export const ackBeforeCommit: PlantedFault = {
  name: 'ack-before-commit',
  mistake: 'events are acknowledged before the transaction of their effects commits',
  scenario: 'kill-services',
  rules: ['one-effect'],
  edits: [
    {
      file: 'packages/events/src/handle-batch.ts',
      find: '    left = await handleTogether(options, prepared)',
      replace:
        '    for (const { delivery } of prepared) options.outcomes.done(delivery)\n    left = await handleTogether(options, prepared)',
    },
  ],
}
