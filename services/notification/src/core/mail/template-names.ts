/** Every mail that we can send. */
export const templateNames = [
  'verify_email',
  'already_registered',
  'reset_password',
  'email_sign_in',
  'sign_in_elsewhere',
  'accept_invitation',
  'change_email',
  'email_changed',
  'password_changed',
  'factor_added',
  'factor_removed',
  'identity_linked',
  'identity_unlinked',
  'recovery_codes_made',
  'recovery_code_used',
  'new_sign_in',
  'suspicious_activity',
  'session_reuse',
  'announcement',
] as const

export type TemplateName = (typeof templateNames)[number]
