import type { Db } from '@gatehouse/postgres'
import type { Logger } from '@gatehouse/telemetry'
import { createBell } from '../core/bell.ts'
import { type DeliveryOutcome, type Hand, TurnMissed } from '../core/deliveries/deliver.ts'
import { type ClaimedDelivery, claimDeliveries } from '../store/deliveries.ts'
import type { Schema } from '../store/schema.ts'
import { type DeliveryMeter, meterDeliveries } from './delivery-metrics.ts'
import { createGivingWay } from './giving-way.ts'
import { createTurns } from './turns.ts'

export interface MailWorkerOptions {
  readonly db: Db<Schema>
  /** Sends one mail and writes down what came of it. */
  readonly deliver: (delivery: ClaimedDelivery, hand: Hand) => Promise<DeliveryOutcome>
  readonly log: Pick<Logger, 'warn' | 'info'>
  /** Mails on their way at once. */
  readonly concurrency: { readonly urgent: number; readonly ordinary: number }
  /** How long a worker may be silent before others take its mails. Longer than any send. */
  readonly leaseSeconds: number
  /** How often an idle lane looks; the ordinary one, where nobody waits in front of a screen, four times less often. */
  readonly pollMs: number
  /** How long mails on their way may take when the process ends. */
  readonly drainMs: number
}

export interface MailWorker {
  /** There may be something to send. */
  wake(): void
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * For each mail on its way, so many are in hand: their readers are asked for, or they are being written down, while connections carry others. It also
 * makes few statements of many rows out of many of one.
 */
const inHandForEach = 4

/**
 * Sends what is due. Two lanes with slots of their own: however many announcements there are, a code that somebody waits for never stands
 * behind them; and where the mail server has no room for both, they give way. Woken after commits; polling is the truth.
 */
export function startMailWorker(options: MailWorkerOptions): MailWorker {
  const abort = new AbortController()
  const meter = meterDeliveries(options.db)
  const lanes = [
    startLane({ ...options, meter, signal: abort.signal, urgent: true, slots: options.concurrency.urgent }),
    startLane({ ...options, meter, signal: abort.signal, urgent: false, slots: options.concurrency.ordinary }),
  ]
  return {
    wake() {
      for (const lane of lanes) lane.wake()
    },
    async [Symbol.asyncDispose]() {
      const timer = setTimeout(() => abort.abort(), options.drainMs)
      await Promise.all(lanes.map((lane) => lane.stop()))
      clearTimeout(timer)
      meter.stop()
    },
  }
}

interface LaneOptions extends MailWorkerOptions {
  readonly urgent: boolean
  readonly slots: number
  readonly meter: DeliveryMeter
  readonly signal: AbortSignal
}

function startLane({ db, deliver, log, leaseSeconds, pollMs, urgent, slots, meter, signal }: LaneOptions) {
  const bell = createBell()
  const turns = createTurns(slots)
  const inHand = new Set<Promise<void>>()
  const most = inHandForEach * slots
  const enough = () => inHand.size > most / 2
  const giving = createGivingWay(db)
  let stopped = false
  let backlog = false
  let failing = false

  function begin(delivery: ClaimedDelivery): void {
    // A send may take half of the lease, and what came of it has to be written down as well.
    const latest = performance.now() + (leaseSeconds * 1000) / 3
    const refuse = () => {
      if (stopped) return new TurnMissed('its worker ended')
      if (giving.now) return new TurnMissed('mails that somebody waits for go first')
      return performance.now() > latest ? new TurnMissed('no connection was free in time') : undefined
    }
    const ended = deliver(delivery, { signal, turn: (send) => turns.take(send, refuse) })
      .then((outcome) => {
        if (outcome === 'retried' && !urgent) giving.refused()
        meter.count(outcome, delivery.template)
      })
      .catch((error: unknown) =>
        log.warn({ err: error, delivery: delivery.id }, 'what came of a mail could not be written; it goes again when its lease ends'),
      )
      .then(() => {
        inHand.delete(ended)
        if (backlog && !enough()) bell.ring()
      })
    inHand.add(ended)
  }

  async function claim(limit: number): Promise<number> {
    try {
      const claimed = await claimDeliveries(db, { urgent, limit, leaseSeconds })
      if (failing) log.info({ urgent }, 'mails are sent again')
      failing = false
      for (const delivery of claimed) begin(delivery)
      return claimed.length
    } catch (error) {
      if (!failing) log.warn({ err: error, urgent }, 'mails cannot be claimed')
      failing = true
      return 0
    }
  }

  const run = (async () => {
    while (!stopped) {
      const room = most - inHand.size
      const aside = !urgent && (await giving.look())
      backlog = !aside && (enough() || (await claim(room)) === room)
      // With a backlog it rings when half of what is in hand is done.
      if (!stopped) await bell.sleep(urgent ? pollMs : 4 * pollMs)
    }
    turns.end()
    await Promise.all(inHand)
  })()

  return {
    wake: bell.ring,
    stop() {
      stopped = true
      bell.ring()
      return run
    },
  }
}
