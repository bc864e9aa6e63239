import { applyStream, connectNats } from '@gatehouse/events'
import { jetstream } from '@nats-io/jetstream'
import { headers } from '@nats-io/nats-core'
import { answerParent, type CommonActs } from './answer-parent.ts'

/** Pipelined publishing and nothing else. */
export interface PublishBareActs extends CommonActs {
  /** Publishes so many acknowledged messages with a message id and headers, 256 under way; answers the messages a second. */
  run(order: { readonly natsUrl: string; readonly events: number; readonly replicas?: number }): Promise<number>
  /** One after the other; answers the milliseconds of each. */
  oneByOne(order: { readonly natsUrl: string; readonly events: number; readonly replicas?: number }): Promise<Float64Array>
}

const inFlight = 256
const payload = Buffer.alloc(40, 10)

answerParent<Omit<PublishBareActs, 'usage'>>({
  async run({ natsUrl, events, replicas = 1 }) {
    await using nats = connectNats({ url: natsUrl, name: 'bench-bare' })
    const connection = await nats.connected(AbortSignal.timeout(10_000))
    await applyStream(connection, 'user', { replicas })
    const js = jetstream(connection)
    const began = performance.now()
    let next = 0
    const lane = async (): Promise<void> => {
      while (next++ < events) {
        const id = crypto.randomUUID()
        const said = headers()
        said.set('ce-id', id)
        said.set('ce-type', 'gatehouse.user.v1.UserUpdated')
        const { seq } = await js.publish('gatehouse.user.v1.UserUpdated.default', payload, { msgID: id, headers: said })
        if (seq === 0) throw new Error('a message that is not stored')
      }
    }
    await Promise.all(Array.from({ length: inFlight }, lane))
    return (events / (performance.now() - began)) * 1000
  },
  async oneByOne({ natsUrl, events, replicas = 1 }) {
    await using nats = connectNats({ url: natsUrl, name: 'bench-bare' })
    const connection = await nats.connected(AbortSignal.timeout(10_000))
    await applyStream(connection, 'user', { replicas })
    const js = jetstream(connection)
    const times = new Float64Array(events)
    for (let i = 0; i < events; i++) {
      const began = performance.now()
      await js.publish('gatehouse.user.v1.UserUpdated.default', payload, { msgID: crypto.randomUUID() })
      times[i] = performance.now() - began
    }
    return times
  },
})
