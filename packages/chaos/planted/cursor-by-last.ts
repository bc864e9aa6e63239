import type { PlantedFault } from './planted-fault.ts'

const file = 'packages/events/src/outbox-pass.ts'

export const cursorByLast: PlantedFault = {
  name: 'cursor-by-last',
  mistake: 'a pass over the outbox begins after the last row of the one before',
  scenario: 'relay-faults',
  rules: ['stream-has-all'],
  edits: [
    { file, find: '  readonly #marks: Marks\n', replace: '  readonly #marks: Marks\n  #last: OutboxRow | undefined\n' },
    {
      file,
      find: '    const rows = await waitingRows(this.#options.db, undefined, limit)',
      replace: '    const rows = await waitingRows(this.#options.db, this.#last, limit)\n    this.#last = rows.at(-1) ?? this.#last',
    },
  ],
}
