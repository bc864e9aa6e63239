import { create } from '@bufbuild/protobuf'
import { NotificationFailedSchema } from '@gatehouse/contracts/gatehouse/notification/v1/events_pb'
import { addEvent } from '@gatehouse/events'
import { transact } from '@gatehouse/postgres'
import { v7 as uuidv7 } from 'uuid'
import { type ClaimedDelivery, insertDeadDelivery, returnDelivery, settleDelivery, supersedeDelivery } from '../../store/deliveries.ts'
import type { Deps } from '../deps.ts'
import { classifyFailure } from '../mail/classify-failure.ts'
import { backoffSeconds } from './backoff.ts'
import { type Composed, composeMail, PeerAway } from './compose-mail.ts'
import { factOf } from './fact-of.ts'

/** How a try ended, for the metrics. */
export type DeliveryOutcome = 'delivered' | 'suppressed' | 'superseded' | 'retried' | 'postponed' | 'failed'

/** What the worker that claimed a delivery lends it. */
export interface Hand {
  /** Aborted when the process has no more time. */
  readonly signal: AbortSignal
  /** Runs `send` once a connection is free; rejects with TurnMissed, and sends nothing, where that takes too much of the lease or the worker ends. */
  turn(send: () => Promise<void>): Promise<void>
}

/** A claimed delivery has to be given back unsent. */
export class TurnMissed extends Error {
  override readonly name = 'TurnMissed'
}

/**
 * Tries a claimed delivery once and writes down what came of it. If the process dies on the way, the lease ends and the mail goes again
 * under the same Message-ID. Rejects only where the outcome could not be written: then, too, the lease ends by itself.
 */
export async function deliver(deps: Deps, delivery: ClaimedDelivery, { signal, turn }: Hand): Promise<DeliveryOutcome> {
  if (delivery.attempts > deps.rules.maxAttempts) return giveUp(deps, delivery, 'every try ended without an answer')
  let composed: Composed
  try {
    composed = await composeMail(deps, delivery, signal)
  } catch (error) {
    if (error instanceof PeerAway) return postpone(deps, delivery, error)
    deps.log.error({ err: error, delivery: delivery.id, template: delivery.template }, 'a mail cannot be made')
    return retry(deps, delivery, 'the mail cannot be made')
  }
  if (composed.kind === 'nothing') return suppress(deps, delivery, composed.reason)
  if (composed.kind === 'expired') return renew(deps, delivery)
  const { mail } = composed
  try {
    await turn(() => deps.sendMail(mail, signal))
  } catch (error) {
    if (error instanceof TurnMissed) return giveBack(deps, delivery, error)
    const { transient, reason } = classifyFailure(error)
    deps.log.warn({ delivery: delivery.id, attempts: delivery.attempts, reason }, 'the mail server did not take a mail')
    return transient ? retry(deps, delivery, reason) : giveUp(deps, delivery, reason)
  }
  await deps.markDelivered(delivery)
  return 'delivered'
}

async function giveUp(deps: Deps, delivery: ClaimedDelivery, reason: string): Promise<DeliveryOutcome> {
  const attempts = Math.min(delivery.attempts, deps.rules.maxAttempts)
  await transact(deps.db, async (tx) => {
    const version = await settleDelivery(tx, delivery, { state: 'failed', failure: reason })
    if (version === undefined) return
    await insertDeadDelivery(tx, { tenant: delivery.tenant, id: delivery.id, reason, attempts })
    await addEvent(tx, {
      schema: NotificationFailedSchema,
      message: create(NotificationFailedSchema, factOf(delivery, version)),
      tenant: delivery.tenant,
      version,
    })
  })
  deps.committed()
  deps.log.error({ delivery: delivery.id, template: delivery.template, attempts, reason }, 'a mail was given up')
  return 'failed'
}

async function suppress(deps: Deps, delivery: ClaimedDelivery, reason: string): Promise<DeliveryOutcome> {
  await settleDelivery(deps.db, delivery, { state: 'suppressed', failure: reason })
  return 'suppressed'
}

/** Another delivery gets another secret; if the challenge is over by then, that one is suppressed. */
async function renew(deps: Deps, delivery: ClaimedDelivery): Promise<DeliveryOutcome> {
  await supersedeDelivery(deps.db, delivery, uuidv7())
  deps.mailWaits()
  return 'superseded'
}

async function retry(deps: Deps, delivery: ClaimedDelivery, reason: string): Promise<DeliveryOutcome> {
  if (delivery.attempts >= deps.rules.maxAttempts) return giveUp(deps, delivery, reason)
  const delaySeconds = backoffSeconds(deps.rules, delivery.attempts, deps.random)
  await returnDelivery(deps.db, delivery, { delaySeconds, uncounted: false, failure: reason })
  return 'retried'
}

/** A peer that is away for minutes must not use up the tries of a mail, so its age bounds the waiting. It is back within seconds mostly: short waits. */
async function postpone(deps: Deps, delivery: ClaimedDelivery, error: PeerAway): Promise<DeliveryOutcome> {
  if (delivery.ageSeconds > deps.rules.maxAgeSeconds) return giveUp(deps, delivery, error.message)
  const rules = {
    firstDelaySeconds: Math.min(0.5, deps.rules.firstDelaySeconds),
    maxDelaySeconds: Math.min(15, deps.rules.maxDelaySeconds),
  }
  const delaySeconds = backoffSeconds(rules, delivery.postponements + 1, deps.random)
  await returnDelivery(deps.db, delivery, { delaySeconds, uncounted: true, failure: error.message })
  return 'postponed'
}

/** It was not begun: whoever has a connection may take it at once. */
async function giveBack(deps: Deps, delivery: ClaimedDelivery, { message }: TurnMissed): Promise<DeliveryOutcome> {
  await returnDelivery(deps.db, delivery, { delaySeconds: 0, uncounted: true, failure: message })
  return 'postponed'
}
