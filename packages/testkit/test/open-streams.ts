import { setTimeout as delay } from 'node:timers/promises'
import { createClient, type Transport } from '@connectrpc/connect'
import { createConnectTransport } from '@connectrpc/connect-node'
import { InboxService } from '@gatehouse/contracts/gatehouse/notification/v1/inbox_service_pb'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { peerTransport, reasonOf } from '@gatehouse/rpc/peer'
import type { House } from './house.ts'

/** Streams of one person at both services and both doors. */
export interface OpenStreams extends AsyncDisposable {
  /** How those ended that have ended, by their names: a reason, or `well`. */
  readonly ends: ReadonlyMap<string, string>
}

export const streamNames = ['WatchInbox over gRPC', 'WatchInbox over the web', 'WatchUsers over gRPC', 'WatchUsers over the web']

/** Opens them; settles when each has told something. */
export async function openStreams({ local }: House, token: string): Promise<OpenStreams> {
  await using opening = new AsyncDisposableStack()
  const { user, notification } = local.ports.services
  const grpc = (target: string, port: number) => opening.use(peerTransport({ target, url: `127.0.0.1:${port}` }))
  const web = createConnectTransport({ baseUrl: local.origin, httpVersion: '1.1' })
  const leave = new AbortController()
  opening.defer(() => leave.abort())
  const options = { headers: { authorization: `Bearer ${token}` }, signal: leave.signal }
  const watch = {
    inbox: (transport: Transport) => createClient(InboxService, transport).watchInbox({}, options),
    users: (transport: Transport) => createClient(UserService, transport).watchUsers({}, options),
  }
  const streams: readonly (() => AsyncIterable<unknown>)[] = [
    () => watch.inbox(grpc('notification', notification.grpc)),
    () => watch.inbox(web),
    () => watch.users(grpc('user', user.grpc)),
    () => watch.users(web),
  ]
  const ends = new Map<string, string>()
  const told = new Set<string>()
  for (const [at, open] of streams.entries()) {
    const name = streamNames[at] ?? ''
    void (async () => {
      for await (const _ of open()) told.add(name)
    })().then(
      () => ends.set(name, 'well'),
      (error: unknown) => ends.set(name, reasonOf(error) ?? String(error)),
    )
  }
  while (told.size < streams.length) {
    if (ends.size > 0) throw new Error(`a stream ended: ${JSON.stringify([...ends])}`)
    await delay(10)
  }
  const owned = opening.move()
  return { ends, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
