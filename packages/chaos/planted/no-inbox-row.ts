import type { PlantedFault } from './planted-fault.ts'

export const noInboxRow: PlantedFault = {
  name: 'no-inbox-row',
  mistake: 'a handler does not remember the events that it was told',
  scenario: 'kill-services',
  rules: ['one-effect'],
  edits: [
    {
      file: 'packages/events/src/inbox.ts',
      find: '  const [only] = envelopes\n',
      replace: '  if (envelopes.length > 0) return new Set(envelopes)\n  const [only] = envelopes\n',
    },
  ],
}
