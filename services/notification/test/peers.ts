import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { Code, ConnectError } from '@connectrpc/connect'
import { ChallengePurpose, RevealSecretResponseSchema } from '@gatehouse/contracts/gatehouse/auth/v1/challenge_service_pb'
import { User_State, UserSchema } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { BatchGetUsersResponseSchema, ResolveUserResponseSchema } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { ErrorInfoSchema } from '@gatehouse/contracts/google/rpc/error_details_pb'
import { tenantHeader } from '@gatehouse/identity'
import type { Deps } from '../src/core/deps.ts'

type Secret = MessageInitShape<typeof RevealSecretResponseSchema>

/** The user and auth services of a test, as far as mail needs them: plain objects, keyed by tenant and id. */
export interface Peers {
  readonly users: Deps['users']
  readonly challenges: Deps['challenges']
  readonly people: Map<string, MessageInitShape<typeof UserSchema>>
  /** Asked with the number of the call for that challenge, from 1. */
  readonly secrets: Map<string, (call: { deliveryId: string; count: number }) => Secret>
  /** Deliveries that were revealed, in order. */
  readonly revealed: string[]
  /** Ids that were asked for together, in order. */
  readonly asked: (readonly string[])[]
  /** While true every call fails as if nobody listened. */
  away: boolean
}

export const origin = 'https://id.example.com'

export function createPeers(): Peers {
  const counts = new Map<string, number>()
  const peers: Peers = {
    away: false,
    people: new Map(),
    secrets: new Map(),
    revealed: [],
    asked: [],
    users: {
      async resolveUser({ by }, options) {
        if (peers.away) throw new ConnectError('nobody listens', Code.Unavailable)
        const user = peers.people.get(`${tenantOf(options)} ${by?.case === 'id' ? by.value : ''}`)
        if (!user) throw refused(Code.NotFound, 'USER_NOT_FOUND')
        return create(ResolveUserResponseSchema, { user: create(UserSchema, { state: User_State.ACTIVE, locale: 'en', ...user }) })
      },
      async batchGetUsers({ ids = [] }, options) {
        if (peers.away) throw new ConnectError('nobody listens', Code.Unavailable)
        peers.asked.push(ids)
        const known = ids.map((id) => [id, peers.people.get(`${tenantOf(options)} ${id}`)] as const)
        return create(BatchGetUsersResponseSchema, {
          users: known.flatMap(([, user]) => (user ? [create(UserSchema, { state: User_State.ACTIVE, locale: 'en', ...user })] : [])),
          missingIds: known.flatMap(([id, user]) => (user ? [] : [id])),
        })
      },
    },
    challenges: {
      async revealSecret({ challengeId = '', deliveryId = '' }, options) {
        if (peers.away) throw new ConnectError('nobody listens', Code.Unavailable)
        const key = `${tenantOf(options)} ${challengeId}`
        const count = (counts.get(key) ?? 0) + 1
        counts.set(key, count)
        peers.revealed.push(deliveryId)
        const secret = peers.secrets.get(key)
        if (!secret) throw challengeOver()
        return create(RevealSecretResponseSchema, secret({ deliveryId, count }))
      },
    },
  }
  return peers
}

/** What auth tells about a sign-up. */
export const signUpSecret = (address: string, secret: Secret = {}): Secret => ({
  purpose: ChallengePurpose.VERIFY_EMAIL,
  token: 'a-token_0123456789',
  code: '048213',
  address,
  locale: 'en',
  origin,
  codeExpireSeconds: 600n,
  tokenExpireSeconds: 86_400n,
  ...secret,
})

export const challengeOver = () => refused(Code.NotFound, 'CHALLENGE_NOT_FOUND')

const refused = (code: Code, reason: string) =>
  new ConnectError(reason, code, undefined, [{ desc: ErrorInfoSchema, value: { reason, domain: 'test.gatehouse' } }])

function tenantOf(options: { headers?: HeadersInit } | undefined): string {
  return new Headers(options?.headers).get(tenantHeader) ?? ''
}
