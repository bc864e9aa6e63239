import type { NatsConnection } from '@nats-io/transport-node'
import { connectBroker, type Servers } from './servers.ts'

/** One event that somebody published, whether the stream stored it or knew it already. */
export interface Publication {
  readonly id: string
  readonly service: string
  /** The connection that published it: every relay waits for its answers under a name of its own. */
  readonly publisher: string
  readonly time: number
}

/** Everything that relays publish, as the broker sees it, in its order: the streams alone do not tell who published, nor what was published in vain. */
export class Publications implements AsyncDisposable {
  readonly seen: Publication[] = []
  readonly #connection: NatsConnection

  private constructor(connection: NatsConnection) {
    this.#connection = connection
    connection.subscribe('gatehouse.*.v1.>', {
      callback: (_, { subject, reply, headers }) => {
        const id = headers?.get('ce-id')
        // What has no reply is no publication to a stream.
        if (id && reply)
          this.seen.push({
            id,
            service: subject.split('.')[1] ?? '',
            publisher: reply.slice(0, reply.lastIndexOf('.')),
            time: performance.now(),
          })
      },
    })
  }

  static async watch(servers: Servers): Promise<Publications> {
    const connection = await connectBroker(servers, { maxReconnectAttempts: -1, reconnectTimeWait: 100 })
    const publications = new Publications(connection)
    await connection.flush()
    return publications
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close()
  }
}
