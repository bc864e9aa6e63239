import { Code, ConnectError } from '@connectrpc/connect'
import { ChallengePurpose, type RevealSecretResponse } from '@gatehouse/contracts/gatehouse/auth/v1/challenge_service_pb'
import { type User, User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { forTenant, reasonOf } from '@gatehouse/rpc'
import type { ClaimedDelivery } from '../../store/deliveries.ts'
import type { Deps } from '../deps.ts'
import { announcement, announcementFields } from '../mail/announcement.ts'
import { bestLanguage, spellDuration } from '../mail/languages.ts'
import { renderMail } from '../mail/render.ts'
import { noSuspicion, suspicionFields, templateOfSuspicion } from '../mail/suspicion.ts'
import { type TemplateName, templateNames } from '../mail/template-names.ts'
import type { OutgoingMail } from '../mail/write-mail.ts'

/** What is to become of a delivery, as far as its content goes. */
export type Composed =
  | { readonly kind: 'mail'; readonly mail: OutgoingMail }
  /** Nobody is to get it. */
  | { readonly kind: 'nothing'; readonly reason: string }
  /** The secret that belongs to this delivery is no longer good. */
  | { readonly kind: 'expired' }

/** A peer cannot be asked at this moment: the delivery waits, through no fault of its own. */
export class PeerAway extends Error {
  override readonly name = 'PeerAway'
}

type ComposeDeps = Pick<Deps, 'findReader' | 'challenges' | 'originOf' | 'brand'>

const peerTimeoutMs = 3000
const nothing = (reason: string): Composed => ({ kind: 'nothing', reason })

/** Asks who reads the mail, or what its secret is, and fills in the template. Nothing of the answer is stored. */
export async function composeMail(deps: ComposeDeps, delivery: ClaimedDelivery, signal: AbortSignal): Promise<Composed> {
  return delivery.challengeId === null
    ? composeForPerson(deps, delivery)
    : composeForChallenge(deps, delivery, delivery.challengeId, signal)
}

async function composeForPerson(deps: ComposeDeps, delivery: ClaimedDelivery): Promise<Composed> {
  const user = await readerOf(deps, delivery)
  if (!user || user.state === User_State.DELETED || user.email === '') return nothing('the person is gone')
  if (user.state === User_State.SUSPENDED) return nothing('the person is suspended')
  const origin = deps.originOf(delivery.tenant)
  if (origin === undefined) throw new PeerAway('auth has not told where the pages of the tenant live')
  const template = templateNames.find((name) => name === delivery.template)
  if (!template) return nothing('there is no such template any more')
  const fields = {
    name: user.name,
    ...(template === announcement && announcementFields(delivery.data ?? {})),
    ...(template === 'session_reuse' && noSuspicion),
  }
  return { kind: 'mail', mail: render(deps, delivery, template, { address: user.email, locale: user.locale, origin }, fields) }
}

async function readerOf({ findReader }: ComposeDeps, { tenant, userId }: ClaimedDelivery): Promise<User | undefined> {
  try {
    return await findReader({ tenant, id: userId ?? '' })
  } catch (error) {
    throw awayOr(error, 'user')
  }
}

async function composeForChallenge(
  deps: ComposeDeps,
  delivery: ClaimedDelivery,
  challengeId: string,
  signal: AbortSignal,
): Promise<Composed> {
  const options = forTenant(delivery.tenant, { signal, timeoutMs: peerTimeoutMs })
  let secret: RevealSecretResponse
  try {
    secret = await deps.challenges.revealSecret({ challengeId, deliveryId: delivery.id }, options)
  } catch (error) {
    // An expired secret and a challenge that is over are answered alike. A delivery that was never tried has no secret to expire.
    if (reasonOf(error) === 'CHALLENGE_NOT_FOUND') return delivery.claim > 1 ? { kind: 'expired' } : nothing('the challenge is over')
    throw awayOr(error, 'auth')
  }
  const content = contentOf(secret)
  if (!content || secret.address === '') return nothing('there is nothing to say')
  // Where there is a code, the first try has it; a later one that does not comes too late for it.
  if (content.coded && secret.code === '' && delivery.claim > 1) return { kind: 'expired' }
  const language = bestLanguage(secret.locale)
  // A name that the reader may not have written is kept out: a stranger could send words of their own through us.
  const fields: Record<string, string> = { name: content.named ? secret.name : '' }
  if (content.path) {
    fields.code = secret.code
    fields.code_lifetime = spellDuration(language, Number(secret.codeExpireSeconds))
    // In the fragment, so that no server's log ever sees it.
    fields.link = `${secret.origin}${content.path}#token=${encodeURIComponent(secret.token)}`
    fields.link_lifetime = spellDuration(language, Number(secret.tokenExpireSeconds))
    Object.assign(fields, secret.suspicion && suspicionFields(secret.suspicion, language))
  }
  return { kind: 'mail', mail: render(deps, delivery, content.template, secret, fields) }
}

interface Content {
  readonly template: TemplateName
  /** Page that the link opens, where there is one. */
  readonly path?: string
  /** It has a code beside the link, unless the codes of the address are used up. */
  readonly coded?: boolean
  /** The name was given by the reader or by an administrator. */
  readonly named: boolean
}

function contentOf({ purpose, suspicion }: RevealSecretResponse): Content | undefined {
  switch (purpose) {
    case ChallengePurpose.VERIFY_EMAIL:
      return { template: 'verify_email', path: '/verify', coded: true, named: false }
    case ChallengePurpose.ALREADY_REGISTERED:
      return { template: 'already_registered', named: false }
    case ChallengePurpose.SIGN_IN_ELSEWHERE:
      return { template: 'sign_in_elsewhere', named: true }
    case ChallengePurpose.RESET_PASSWORD:
      return { template: 'reset_password', path: '/reset', coded: true, named: true }
    case ChallengePurpose.EMAIL_SIGN_IN:
      return { template: 'email_sign_in', path: '/sign-in-link', coded: true, named: true }
    case ChallengePurpose.ACCEPT_INVITATION:
      return { template: 'accept_invitation', path: '/invitation', named: true }
    case ChallengePurpose.CHANGE_EMAIL:
      return { template: 'change_email', path: '/change-email', coded: true, named: false }
    case ChallengePurpose.EMAIL_CHANGED:
      return { template: 'email_changed', named: true }
    case ChallengePurpose.SUSPICIOUS_ACTIVITY:
      return suspicion && { template: templateOfSuspicion(suspicion.kinds), path: '/lock-down', named: true }
    default:
      return undefined
  }
}

function render(
  { brand }: Pick<Deps, 'brand'>,
  { id, urgent }: ClaimedDelivery,
  template: TemplateName,
  { address, locale, origin }: { address: string; locale: string; origin: string },
  fields: Parameters<typeof renderMail>[2],
): OutgoingMail {
  return { deliveryId: id, to: address, optional: !urgent, ...renderMail(template, bestLanguage(locale), { brand, origin, ...fields }) }
}

/** What says "not now": unreachable, too slow, too busy, or (while keys are being exchanged) not believing who we are. */
function awayOr(error: unknown, peer: string): unknown {
  if (!(error instanceof ConnectError)) return error
  const away = [
    Code.Unavailable,
    Code.DeadlineExceeded,
    Code.ResourceExhausted,
    Code.Unauthenticated,
    Code.Canceled,
    Code.Aborted,
  ].includes(error.code)
  return away ? new PeerAway(`${peer} is away`, { cause: error }) : error
}
