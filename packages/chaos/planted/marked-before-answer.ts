import type { PlantedFault } from './planted-fault.ts'

export const markedBeforeAnswer: PlantedFault = {
  name: 'marked-before-answer',
  mistake: 'events are marked as published before the broker has said that it has them',
  scenario: 'relay-faults',
  rules: ['stream-has-all'],
  edits: [
    {
      file: 'packages/events/src/outbox-pass.ts',
      find: '      const { confirmed, failure } = await publishRows(',
      replace: '      this.#marks.add(rows)\n      const { confirmed, failure } = await publishRows(',
    },
  ],
}
