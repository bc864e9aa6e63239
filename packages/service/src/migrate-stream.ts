import { CommandFailed } from '@gatehouse/cli'
import { applyStream, StreamRefused, type StreamSettings, streamKeeper, streamOf } from '@gatehouse/events'
import type { PeerName } from './peers.ts'
import { NatsAway, reachNats } from './reach-nats.ts'

/** Makes the stream of a service, or sets it right; tells what was done. Throws CommandFailed with a sentence where that cannot be done. */
export async function migrateStream(name: PeerName, natsUrl: string, settings: StreamSettings): Promise<string> {
  const stream = streamOf(name)
  try {
    await using broker = await reachNats(natsUrl, `gatehouse-${name}-migrate`)
    const done = await applyStream(await broker.nats.connected(), name, settings)
    return done === 'kept' ? `${stream} is as it has to be` : `${stream} was ${done}`
  } catch (error) {
    if (error instanceof NatsAway) throw new CommandFailed(`${stream} was not looked at: ${error.message}`)
    if (error instanceof StreamRefused) throw new CommandFailed(`${error.message}: NATS_URL has to name the user ${streamKeeper}.`)
    throw new CommandFailed(`${stream} could not be made or looked at: ${error instanceof Error ? error.message : String(error)}`)
  }
}
