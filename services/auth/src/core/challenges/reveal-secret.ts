import { create } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { ChallengePurpose } from '@gatehouse/contracts/gatehouse/auth/v1/challenge_service_pb'
import { type Suspicion, SuspicionSchema } from '@gatehouse/contracts/gatehouse/auth/v1/suspicion_pb'
import type { SecretPurpose } from '../../store/account-tables.ts'
import { type ChallengeSecretRow, findChallengeSecret, insertChallengeSecret } from '../../store/challenge-secrets.ts'
import { type ChallengeRow, findChallenge } from '../../store/challenges.ts'
import { findSuspicion } from '../../store/suspicions.ts'
import { findTenant } from '../../store/tenants.ts'
import type { Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { kindNamed } from '../suspicion/suspicion-kinds.ts'
import { decideMail, type Mail } from './decide-mail.ts'
import { deriveSecret, hashToken, type SecretOwner, secretAgain } from './derive-secret.ts'
import { revealSeconds, secretSeconds } from './secret-lifetimes.ts'

/** What a mail says. */
export interface Revealed {
  readonly purpose: ChallengePurpose
  readonly token: string
  readonly code: string
  readonly address: string
  readonly locale: string
  readonly name: string
  readonly origin: string
  readonly codeExpireSeconds: number
  readonly tokenExpireSeconds: number
  /** Of a mail about something suspicious. */
  readonly suspicion?: Suspicion
}

type RevealDeps = Pick<Deps, 'db' | 'users' | 'batches' | 'now' | 'challengeKeys'>

/** Gives what the mail of a challenge says; to the same delivery the same, for as long as its secret lives. */
export async function revealSecret(
  deps: RevealDeps,
  input: { tenant: string; challengeId: string; deliveryId: string },
): Promise<Revealed> {
  const challenge = await findChallenge(deps.db, { tenant: input.tenant, id: input.challengeId })
  const tenant = await findTenant(deps.db, input.tenant)
  if (!challenge || !tenant || challenge.end_time !== null || isTooOld(deps, challenge)) throw notFound()
  const owner = { tenant: input.tenant, challengeId: challenge.id, deliveryId: input.deliveryId.toLowerCase() }

  const suspicion = await suspicionOf(deps, challenge)
  const told = { origin: tenant.origin, ...(suspicion && { suspicion }) }
  const held = await findChallengeSecret(deps.db, owner)
  if (held) return { ...describeSecret(deps, held), ...told }
  const mail = await decideMail(deps, challenge)
  if (mail.secret === undefined) return { ...describeMail(mail), origin: tenant.origin }
  await noteSecret(deps, owner, mail, mail.secret)
  // Of two that reveal at once the first one's row stays, and both answer it.
  const noted = await findChallengeSecret(deps.db, owner)
  if (!noted) throw notFound()
  return { ...describeSecret(deps, noted), ...told }
}

async function suspicionOf({ db }: RevealDeps, { kind, tenant, id }: ChallengeRow): Promise<Suspicion | undefined> {
  const found = kind === 'lock_down' ? await findSuspicion(db, { tenant, challengeId: id }) : undefined
  return (
    found &&
    create(SuspicionSchema, {
      kinds: found.kinds.map(kindNamed),
      time: timestampFromDate(found.happen_time),
      userAgent: found.user_agent,
      network: found.network,
    })
  )
}

function isTooOld(deps: RevealDeps, challenge: ChallengeRow): boolean {
  return challenge.request_time.getTime() + revealSeconds * 1000 <= deps.now()
}

async function noteSecret(deps: RevealDeps, owner: SecretOwner, mail: Mail, purpose: SecretPurpose): Promise<void> {
  const seconds = secretSeconds[purpose]
  await insertChallengeSecret(deps.db, {
    tenant: owner.tenant,
    challenge_id: owner.challengeId,
    delivery_id: owner.deliveryId,
    purpose,
    address: mail.address,
    locale: mail.locale,
    name: mail.name,
    user_id: mail.userId ?? null,
    token_hash: hashToken(deriveSecret(deps.challengeKeys.current, owner).token),
    code_expire_time: seconds.code === undefined ? null : new Date(deps.now() + seconds.code * 1000),
    token_expire_time: new Date(deps.now() + seconds.token * 1000),
  })
}

const purposes = {
  verify_email: ChallengePurpose.VERIFY_EMAIL,
  reset_password: ChallengePurpose.RESET_PASSWORD,
  accept_invitation: ChallengePurpose.ACCEPT_INVITATION,
  change_email: ChallengePurpose.CHANGE_EMAIL,
  email_sign_in: ChallengePurpose.EMAIL_SIGN_IN,
  lock_down: ChallengePurpose.SUSPICIOUS_ACTIVITY,
} as const

/** A code that has expired is left out; with the token expired too, the delivery has to be replaced by another. */
function describeSecret(deps: RevealDeps, row: ChallengeSecretRow): Omit<Revealed, 'origin'> {
  const tokenExpireSeconds = secondsUntil(deps, row.token_expire_time)
  if (tokenExpireSeconds === 0) throw notFound()
  const codeExpireSeconds = secondsUntil(deps, row.code_expire_time)
  const owner = { tenant: row.tenant, challengeId: row.challenge_id, deliveryId: row.delivery_id }
  const said = secretAgain(deps.challengeKeys, owner, row.token_hash)
  // A link that opens nothing is no answer.
  if (said === undefined) throw notFound()
  const { token, code } = said
  return {
    purpose: purposes[row.purpose],
    token,
    code: codeExpireSeconds === 0 ? '' : code,
    address: row.address,
    locale: row.locale,
    name: row.name,
    codeExpireSeconds,
    tokenExpireSeconds,
  }
}

function describeMail(mail: Mail): Omit<Revealed, 'origin'> {
  const { purpose, address, locale, name } = mail
  return { purpose, token: '', code: '', address, locale, name, codeExpireSeconds: 0, tokenExpireSeconds: 0 }
}

function secondsUntil(deps: RevealDeps, time: Date | null): number {
  return time === null ? 0 : Math.max(0, Math.ceil((time.getTime() - deps.now()) / 1000))
}

function notFound() {
  return refuse(ErrorReason.CHALLENGE_NOT_FOUND)
}
