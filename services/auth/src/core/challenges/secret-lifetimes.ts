import type { ChallengeKind, SecretPurpose } from '../../store/account-tables.ts'

const minute = 60
const hour = 60 * minute
const day = 24 * hour

/** How long after the last request the secret of a challenge may still be revealed. */
export const revealSeconds = day

/**
 * How long secrets are good, from the moment they are revealed. Without a code only the link is good. A link outlives the window of the limit on its
 * mails: a stranger who uses the limit up leaves the owner with a mail that is still good.
 */
export const secretSeconds: Readonly<Record<SecretPurpose, { code?: number; token: number }>> = {
  verify_email: { code: 10 * minute, token: hour },
  change_email: { code: 10 * minute, token: hour },
  reset_password: { code: 10 * minute, token: hour },
  // Ten minutes for both (NIST SP 800-63B-4, 3.1.3): the password and the reset stay open to whoever has to wait for the next mail.
  email_sign_in: { code: 10 * minute, token: 10 * minute },
  accept_invitation: { token: 7 * day },
  lock_down: { token: 7 * day },
}

/** After this long nothing of a challenge can be of use any more. */
export const keptSeconds = revealSeconds + Math.max(...Object.values(secretSeconds).map((seconds) => seconds.token))

/** The kind of challenge whose codes are good for a purpose; invitations and lock-downs have links only. */
export const kindOfPurpose: Readonly<Record<SecretPurpose, ChallengeKind>> = {
  verify_email: 'sign_up',
  change_email: 'email_change',
  reset_password: 'reset',
  accept_invitation: 'invitation',
  email_sign_in: 'email_sign_in',
  lock_down: 'lock_down',
}
