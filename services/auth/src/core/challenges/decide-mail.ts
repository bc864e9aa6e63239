import { ChallengePurpose } from '@gatehouse/contracts/gatehouse/auth/v1/challenge_service_pb'
import { type User, User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import type { SecretPurpose } from '../../store/account-tables.ts'
import type { ChallengeRow } from '../../store/challenges.ts'
import { findSignUp } from '../../store/sign-ups.ts'
import { requiredConnection } from '../connections/required-connection.ts'
import type { Deps } from '../deps.ts'
import { resolvePerson } from '../people/resolve-person.ts'

/** What a mail is about and whom it is for. */
export interface Mail {
  readonly purpose: ChallengePurpose
  /** Set where the mail carries a secret. */
  readonly secret?: SecretPurpose
  readonly address: string
  readonly locale: string
  readonly name: string
  /** The person whom the address names now. */
  readonly userId?: string
}

const nothing: Mail = { purpose: ChallengePurpose.NOTHING, address: '', locale: '', name: '' }

/**
 * Decides at the moment of rendering, out of a stranger's sight, who stands behind an address. Whoever asked for the mail was
 * answered long before, so the answer cannot differ. Suspended people get none: their mail is stopped.
 */
export async function decideMail(deps: Pick<Deps, 'db' | 'users' | 'batches'>, challenge: ChallengeRow): Promise<Mail> {
  const mail = await mailOf(deps, challenge)
  // A link that would be refused is not sent: whoever the address belongs to is told how they get in.
  if (!opensSession.has(mail.purpose) || (await requiredConnection(deps, challenge.tenant, mail.address)) === undefined) return mail
  const { secret: _, userId: __, ...rest } = mail
  return { ...rest, purpose: ChallengePurpose.SIGN_IN_ELSEWHERE }
}

const opensSession: ReadonlySet<ChallengePurpose> = new Set([
  ChallengePurpose.RESET_PASSWORD,
  ChallengePurpose.EMAIL_SIGN_IN,
  ChallengePurpose.ACCEPT_INVITATION,
])

async function mailOf(deps: Pick<Deps, 'db' | 'users' | 'batches'>, challenge: ChallengeRow): Promise<Mail> {
  switch (challenge.kind) {
    case 'sign_up':
      return await mailOfSignUp(deps, challenge)
    case 'reset':
      return mailOfReset(await personAt(deps, challenge))
    case 'email_sign_in':
      return mailOfSignIn(await personAt(deps, challenge))
    case 'invitation':
      return mailOfInvitation(await personOf(deps, challenge))
    case 'email_change':
      return await mailOfEmailChange(deps, challenge)
    case 'lock_down':
      return mailOfSuspicion(await personOf(deps, challenge))
    case 'email_changed': {
      const person = await personOf(deps, challenge)
      return {
        purpose: ChallengePurpose.EMAIL_CHANGED,
        address: challenge.address ?? '',
        locale: person?.locale || 'en',
        name: person?.name ?? '',
      }
    }
  }
}

async function mailOfSignUp(deps: Pick<Deps, 'db' | 'users' | 'batches'>, challenge: ChallengeRow): Promise<Mail> {
  const person = await personAt(deps, challenge)
  if (person?.state === User_State.ACTIVE) return mailTo(person, ChallengePurpose.ALREADY_REGISTERED)
  if (person !== undefined) return mailOfInvitation(person)
  const signUp = await findSignUp(deps.db, { tenant: challenge.tenant, challengeId: challenge.id })
  if (signUp === undefined) return nothing
  return {
    purpose: ChallengePurpose.VERIFY_EMAIL,
    secret: 'verify_email',
    address: challenge.address ?? '',
    locale: signUp.locale,
    // Anybody can sign anybody up: a name that a stranger chose must not speak in our mail.
    name: '',
  }
}

function mailOfReset(person: User | undefined): Mail {
  if (person?.state !== User_State.ACTIVE) return mailOfInvitation(person)
  return mailTo(person, ChallengePurpose.RESET_PASSWORD, 'reset_password')
}

function mailOfSignIn(person: User | undefined): Mail {
  if (person?.state !== User_State.ACTIVE) return mailOfInvitation(person)
  return mailTo(person, ChallengePurpose.EMAIL_SIGN_IN, 'email_sign_in')
}

function mailOfInvitation(person: User | undefined): Mail {
  if (person?.state !== User_State.INVITED) return nothing
  return mailTo(person, ChallengePurpose.ACCEPT_INVITATION, 'accept_invitation')
}

/** Whoever is suspended has no sessions, and whoever is invited none yet; nobody has an address that was only guessed at. */
function mailOfSuspicion(person: User | undefined): Mail {
  if (person?.state !== User_State.ACTIVE) return nothing
  return mailTo(person, ChallengePurpose.SUSPICIOUS_ACTIVITY, 'lock_down')
}

/** An address that somebody else has is not written to: its owner did not ask, and the asker must not learn of the owner. */
async function mailOfEmailChange(deps: Pick<Deps, 'users' | 'batches'>, challenge: ChallengeRow): Promise<Mail> {
  const owner = await personAt(deps, challenge)
  const person = await personOf(deps, challenge)
  if (person?.state !== User_State.ACTIVE || (owner !== undefined && owner.id !== person.id)) return nothing
  const mail = mailTo(person, ChallengePurpose.CHANGE_EMAIL, 'change_email')
  return { ...mail, address: challenge.address ?? '' }
}

function mailTo(person: User, purpose: ChallengePurpose, secret?: SecretPurpose): Mail {
  const { email: address, name, id: userId } = person
  return { purpose, ...(secret && { secret }), address, locale: person.locale || 'en', name, userId }
}

async function personAt(deps: Pick<Deps, 'users' | 'batches'>, challenge: ChallengeRow): Promise<User | undefined> {
  const { tenant, address } = challenge
  return address === null ? undefined : await resolvePerson(deps, { tenant, by: { case: 'email', value: address } })
}

async function personOf(deps: Pick<Deps, 'users' | 'batches'>, challenge: ChallengeRow): Promise<User | undefined> {
  const { tenant, user_id } = challenge
  return user_id === null ? undefined : await resolvePerson(deps, { tenant, by: { case: 'id', value: user_id } })
}
