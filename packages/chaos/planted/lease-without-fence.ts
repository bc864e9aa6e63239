import type { PlantedFault } from './planted-fault.ts'

export const leaseWithoutFence: PlantedFault = {
  name: 'lease-without-fence',
  mistake: 'a relay keeps its lease without asking whether it is still its own',
  scenario: 'relay-faults',
  rules: ['one-leader'],
  edits: [
    {
      file: 'packages/events/src/lease.ts',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a template.
      find: 'where name = ${this.#name} and epoch = ${epoch} returning epoch`',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the same.
      replace: 'where name = ${this.#name} returning ${epoch}::bigint as epoch`',
    },
  ],
}
