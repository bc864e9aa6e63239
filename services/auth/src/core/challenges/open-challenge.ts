import { create } from '@bufbuild/protobuf'
import {
  EmailChangedSchema,
  EmailChangeRequestedSchema,
  EmailSignInRequestedSchema,
  EmailVerificationRequestedSchema,
  InvitationRequestedSchema,
  PasswordResetRequestedSchema,
} from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { addEvent } from '@gatehouse/events'
import { emailKey } from '@gatehouse/rpc'
import { v7 as uuidv7 } from 'uuid'
import type { ChallengeKind } from '../../store/account-tables.ts'
import { type ChallengeRow, countMail, insertChallenge } from '../../store/challenges.ts'
import type { Db } from '../deps.ts'

/** Those whose mail has an event of its own; that of a lock-down follows from what it is about. */
type RequestedKind = Exclude<ChallengeKind, 'lock_down'>

export interface OpenChallengeInput {
  readonly tenant: string
  readonly kind: RequestedKind
  readonly time: Date
  /** Canonical; left out where the person's address at the time of the mail is meant. */
  readonly address?: string
  readonly userId?: string
  /** Open it like any other, and let no mail follow. */
  readonly withoutMail?: boolean
}

/** Opens a challenge within the caller's transaction and asks for its mail. */
export async function openChallenge(tx: Db, input: OpenChallengeInput): Promise<ChallengeRow> {
  const challenge = await insertChallenge(tx, {
    tenant: input.tenant,
    id: uuidv7(),
    kind: input.kind,
    address: input.address ?? null,
    address_key: input.address === undefined ? null : emailKey(input.address),
    user_id: input.userId ?? null,
    previous_address: null,
    mail_count: input.withoutMail ? 0 : 1,
    create_time: input.time,
    request_time: input.time,
    end_time: null,
  })
  if (!input.withoutMail) await askForMail(tx, challenge)
  return challenge
}

/** Asks for the mail of a challenge once more. */
export async function repeatMail(tx: Db, challenge: ChallengeRow, time: Date): Promise<void> {
  await askForMail(tx, await countMail(tx, challenge, time))
}

const schemas = {
  sign_up: EmailVerificationRequestedSchema,
  reset: PasswordResetRequestedSchema,
  invitation: InvitationRequestedSchema,
  email_change: EmailChangeRequestedSchema,
  email_sign_in: EmailSignInRequestedSchema,
} as const

/** The event names the challenge and not what its mail will say: that is decided when it is rendered. */
async function askForMail(tx: Db, challenge: ChallengeRow): Promise<void> {
  const { kind, tenant, mail_count: version } = challenge
  const named = { challengeId: challenge.id, version: BigInt(version) }
  if (kind === 'lock_down') throw new TypeError('the mail of a lock-down is asked for once, by what is suspicious')
  if (kind === 'email_changed') {
    const message = create(EmailChangedSchema, { ...named, userId: challenge.user_id ?? '' })
    await addEvent(tx, { schema: EmailChangedSchema, message, tenant, version })
    return
  }
  const schema = schemas[kind]
  await addEvent(tx, { schema, message: create(schema, named), tenant, version })
}
