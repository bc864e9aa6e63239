import type { PlantedFault } from './planted-fault.ts'

export const silenceIsConsent: PlantedFault = {
  name: 'silence-is-consent',
  mistake: 'a publication that the broker does not answer is taken for one that it has',
  scenario: 'relay-faults',
  rules: ['stream-has-all'],
  edits: [
    {
      file: 'packages/events/src/ack-inbox.ts',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a template.
      find: 'settle(new Error(`the stream did not answer within ${ackTimeoutMs} ms`))',
      replace: 'settle()',
    },
  ],
}
