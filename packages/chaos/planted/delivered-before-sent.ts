import type { PlantedFault } from './planted-fault.ts'

const file = 'services/notification/src/core/deliveries/deliver.ts'

export const deliveredBeforeSent: PlantedFault = {
  name: 'delivered-before-sent',
  mistake: 'a mail is written down as delivered before the mail server has taken it',
  scenario: 'kill-services',
  rules: ['mails'],
  edits: [
    {
      file,
      find: '    await turn(() => deps.sendMail(mail, signal))',
      replace: '    await deps.markDelivered(delivery)\n    await turn(() => deps.sendMail(mail, signal))',
    },
    { file, find: "  await deps.markDelivered(delivery)\n  return 'delivered'", replace: "  return 'delivered'" },
  ],
}
