import type { PlantedFault } from './planted-fault.ts'

export const noMessageId: PlantedFault = {
  name: 'no-message-id',
  mistake: 'an event that is published again has another id for the broker',
  scenario: 'relay-faults',
  rules: ['stream-has-all'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a template.
  edits: [{ file: 'packages/events/src/envelope.ts', find: "'Nats-Msg-Id': [id],", replace: "'Nats-Msg-Id': [`${id} ${Math.random()}`]," }],
}
