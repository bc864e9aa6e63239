import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NatsUser } from './nats-permissions.ts'
import { type NatsServer, startNats } from './nats-server.ts'

export type TestNats = AsyncDisposable & {
  /** Stays the same across stop() and start(). */
  readonly url: string
  /** Ends the server; what its streams hold is kept. */
  readonly stop: () => Promise<void>
  /** Starts it again on the same port. */
  readonly start: () => Promise<void>
  /** Throws away everything that was stored: call it between stop() and start(). */
  readonly forget: () => Promise<void>
  readonly dispose: () => Promise<void>
}

/** A nats-server of one test file, with the streams of the three services, empty: it starts in a blink. */
export async function testNats({ users }: { users?: readonly NatsUser[] } = {}): Promise<TestNats> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-test-nats-'))
  const storeDir = join(folder, 'store')
  const startOn = (port: number): Promise<NatsServer> => startNats({ storeDir, port, streams: true, ...(users && { users }) })
  let server: NatsServer | undefined = await startOn(0)
  const { url, port } = server
  const stop = async (): Promise<void> => {
    await server?.stop()
    server = undefined
  }
  const dispose = async (): Promise<void> => {
    await stop()
    await rm(folder, { recursive: true, force: true })
  }
  return {
    url,
    stop,
    async start() {
      server ??= await startOn(port)
    },
    forget: () => rm(storeDir, { recursive: true, force: true }),
    dispose,
    [Symbol.asyncDispose]: dispose,
  }
}
