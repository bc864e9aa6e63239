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
 * behind them; where more codes wait than their lane can take, the other lane takes them first; and where the mail server has no room for both, announcements
 * give way. Woken after commits; polling is the truth.
 */
export function startMailWorker(options: MailWorkerOptions): MailWorker {
  const abort = new AbortController()
  const meter = meterDeliveries(options.db)
  const { concurrency } = options
  const urgent = startLane({ ...options, meter, signal: abort.signal, urgent: true, slots: concurrency.urgent })
  const lanes = [urgent, startLane({ ...options, meter, signal: abort.signal, urgent: false, slots: concurrency.ordinary, ahead: urgent })]
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
  /** The lane whose mails go first. */
  readonly ahead?: Pick<Lane, 'isBehind' | 'looked'>
}

interface Lane {
  wake(): void
  stop(): Promise<void>
  /** Whether more waits than this lane has taken, as far as it knows. */
  isBehind(): boolean
  /** Resolves when it knows. */
  readonly looked: Promise<void>
}

function startLane({ db, deliver, log, leaseSeconds, pollMs, urgent, slots, meter, signal, ahead }: LaneOptions): Lane {
  const bell = createBell()
  const turns = createTurns(slots)
  const inHand = new Set<Promise<void>>()
  const most = inHandForEach * slots
  const enough = () => inHand.size > most / 2
  const giving = createGivingWay(db)
  const looked = Promise.withResolvers<void>()
  let stopped = false
  let backlog = false
  let failing = false

  function begin(delivery: ClaimedDelivery): void {
    // A send may take half of the lease, and what came of it has to be written down as well.
    const began = performance.now()
    const latest = began + (leaseSeconds * 1000) / 3
    const refuse = () => {
      if (stopped) return new TurnMissed('its worker ended')
      if (giving.now && !delivery.urgent) return new TurnMissed('mails that somebody waits for go first')
      return performance.now() > latest ? new TurnMissed('no connection was free in time') : undefined
    }
    const ended = deliver(delivery, { signal, turn: (send) => turns.take(send, refuse) })
      .then((outcome) => {
        if (outcome === 'retried' && !delivery.urgent) giving.refused()
        meter.count(outcome, delivery.template)
        if (outcome === 'delivered') meter.delivered(delivery.urgent, delivery.ageSeconds + (performance.now() - began) / 1000)
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

  /**
   * Where the lane ahead has its hands full, as many of its mails as can be sent here at once, and the own ones only when none of them is left: it is the
   * same queue for all replicas, and none of them takes an announcement while it knows of a code that nobody has taken.
   */
  async function claimNext(room: number): Promise<number> {
    if (!ahead?.isBehind()) return claim(urgent, room)
    const free = Math.max(0, slots - inHand.size)
    const taken = free === 0 ? 0 : await claim(true, free)
    return taken === free ? room : taken + (await claim(false, room - taken))
  }

  async function claim(ofUrgent: boolean, limit: number): Promise<number> {
    try {
      const claimed = await claimDeliveries(db, { urgent: ofUrgent, limit, leaseSeconds })
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
    await ahead?.looked
    while (!stopped) {
      const room = most - inHand.size
      const aside = !urgent && (await giving.look())
      backlog = !aside && (enough() || (await claimNext(room)) === room)
      looked.resolve()
      // With a backlog it rings when half of what is in hand is done.
      if (!stopped) await bell.sleep(urgent ? pollMs : 4 * pollMs)
    }
    looked.resolve()
    turns.end()
    await Promise.all(inHand)
  })()

  return {
    wake: bell.ring,
    isBehind: () => backlog,
    looked: looked.promise,
    stop() {
      stopped = true
      bell.ring()
      return run
    },
  }
}
