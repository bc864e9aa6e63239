import type { PlantedFault } from './planted-fault.ts'

const file = 'services/user/src/core/change-user.ts'

export const outboxAfterCommit: PlantedFault = {
  name: 'outbox-after-commit',
  mistake: 'the event of a change is written in a transaction of its own, after that of the fact',
  scenario: 'kill-services',
  rules: ['whole-or-nothing', 'acknowledged-writes'],
  edits: [
    {
      file,
      find: '  const { user, changed } = await transact(',
      replace: '  let tell: Tell | undefined\n  const { user, changed } = await transact(',
    },
    { file, find: '    await change.tell(tx, after)', replace: '    tell = change.tell' },
    {
      file,
      find: '  if (changed) deps.committed()',
      replace: '  if (tell !== undefined) await transact(deps.db, (tx) => (tell as Tell)(tx, user))\n  if (changed) deps.committed()',
    },
  ],
}
