/** Every mail that we can send. */
export const templateNames = [
  'verify_email',
  'already_registered',
  'reset_password',
  'accept_invitation',
  'change_email',
  'email_changed',
  'password_changed',
  'session_reuse',
  'announcement',
] as const

export type TemplateName = (typeof templateNames)[number]
