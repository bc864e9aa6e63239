import { createClient } from '@connectrpc/connect'
import { InboxService } from '@gatehouse/contracts/gatehouse/notification/v1/inbox_service_pb'
import { peerTransport } from '@gatehouse/rpc'
import { codeFor } from '../code-for.ts'
import type { Constellation } from '../constellation.ts'
import type { Outcome } from '../outcome.ts'
import { callWeb, type Json } from '../web-client.ts'
import { type Follower, follow } from './follow.ts'

const password = 'correct horse battery staple!'

const timeoutMs = 20_000

/** Somebody who watches their inbox and finds an item in it whenever they sign in. */
export interface InboxReader extends AsyncDisposable {
  readonly userId: string
  /** Ids of the items, as they were told. */
  readonly inbox: Follower<string>
  signIn(): Promise<Outcome>
}

/** Signs somebody up, proves their mailbox, and lets them watch. */
export async function inboxReader(house: Constellation, email: string): Promise<InboxReader> {
  const source = '10.251.0.1'
  const asked = await callWeb(house, 'AccountService/SignUp', { email, password, name: email, locale: 'en' }, { source, timeoutMs })
  if (asked.kind !== 'done') throw new Error(`${email} cannot sign up: ${asked.reason}`)
  const code = await codeFor(house.servers.mail, email)
  const verified = await callWeb(house, 'AccountService/VerifyEmail', { challengeId: asked.body.challengeId, code }, { source, timeoutMs })
  if (verified.kind !== 'done') throw new Error(`${email} cannot prove the mailbox: ${verified.reason}`)
  const signedIn = verified.body.signedIn as Json
  const headers = { authorization: `Bearer ${signedIn.accessToken}` }

  await using opening = new AsyncDisposableStack()
  const transport = opening.use(peerTransport({ target: 'notification', url: house.links.urlOf('client', 'notification') }))
  const client = createClient(InboxService, transport)
  const inbox = opening.use(
    follow({
      open: (cursor, signal) => client.watchInbox({ cursor }, { headers, signal }),
      read: ({ items, cursor }) => ({ items: items.map(({ id }) => id), cursor }),
    }),
  )
  const owned = opening.move()
  return {
    userId: String(signedIn.user?.id),
    inbox,
    async signIn() {
      const answer = await callWeb(house, 'SessionService/SignIn', { email, password }, { source, timeoutMs })
      return answer.kind === 'done' ? { kind: 'done', result: { sessionId: String(answer.body.signedIn?.session?.id) } } : answer
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
