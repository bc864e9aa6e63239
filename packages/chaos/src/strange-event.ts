import { randomUUID } from 'node:crypto'
import { jetstream } from '@nats-io/jetstream'
import { headers } from '@nats-io/nats-core'
import type { Constellation } from './constellation.ts'
import { connectBroker } from './servers.ts'

/** An event as a stream takes it from whoever may publish. */
export interface StrangeEvent {
  readonly service: 'user' | 'auth'
  /** Such as `UserCreated`. */
  readonly type: string
  readonly id: string
  readonly key: string
  readonly version: number
  readonly time: Date
  readonly payload: Uint8Array
  readonly traceparent?: string
}

/** A message in a stream that no relay has put there. */
export interface StrangeMessage {
  readonly service: string
  readonly sequence: number
  readonly id: string
}

/** Puts events into streams past every outbox and relay, under message ids that the streams do not know. */
export async function injectEvents(house: Constellation, events: readonly StrangeEvent[]): Promise<void> {
  const connection = await connectBroker(house.servers)
  try {
    for (const { service, type, id, key, version, time, payload, traceparent } of events) {
      const envelope = headers()
      envelope.set('ce-specversion', '1.0')
      envelope.set('ce-id', id)
      envelope.set('ce-type', `gatehouse.${service}.v1.${type}`)
      envelope.set('ce-source', `gatehouse/${service}`)
      envelope.set('ce-subject', key)
      envelope.set('ce-sequence', String(version))
      envelope.set('ce-time', time.toISOString())
      if (traceparent !== undefined) envelope.set('traceparent', traceparent)
      const { seq } = await jetstream(connection).publish(`gatehouse.${service}.v1.${type}.default`, payload, {
        headers: envelope,
        msgID: randomUUID(),
      })
      house.strange.push({ service, sequence: seq, id })
    }
  } finally {
    await connection.close()
  }
}
