import type { PlantedFault } from './planted-fault.ts'

export const sessionsOutliveSuspension: PlantedFault = {
  name: 'sessions-outlive-suspension',
  mistake: 'a suspension stops the person, and leaves their sessions to go on when they are let back',
  scenario: 'kill-services',
  rules: ['suspensions'],
  edits: [
    {
      file: 'services/user/src/core/suspend-user.ts',
      find: 'tell: telling(UserSuspendedSchema), endSessions: true }',
      replace: 'tell: telling(UserSuspendedSchema) }',
    },
    { file: 'services/auth/src/consumers/on-user-suspended.ts', find: 'openedUntil: time,', replace: 'openedUntil: new Date(0),' },
  ],
}
