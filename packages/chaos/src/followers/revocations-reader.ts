import { createClient } from '@connectrpc/connect'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { createWorkloadSigner } from '@gatehouse/identity'
import { peerTransport } from '@gatehouse/rpc'
import type { Constellation } from '../constellation.ts'
import { type Follower, follow } from './follow.ts'

/** Follows the ends of sessions as every verifier does; tells their ids. */
export async function revocationsReader(house: Constellation): Promise<Follower<string>> {
  const signer = await createWorkloadSigner(house.keyFile('example'))
  const transport = peerTransport({ target: 'auth', url: house.links.urlOf('client', 'auth'), signer })
  const client = createClient(SessionService, transport)
  const follower = follow({
    open: (cursor, signal) => client.watchRevocations({ cursor }, { headers: { 'gatehouse-tenant': 'default' }, signal }),
    read: ({ revoked, cursor }) => ({ items: revoked.map(({ sessionId }) => sessionId), cursor }),
  })
  return {
    told: follower.told,
    get resumed() {
      return follower.resumed
    },
    async [Symbol.asyncDispose]() {
      await follower[Symbol.asyncDispose]()
      await transport[Symbol.asyncDispose]()
    },
  }
}
