import { Code, ConnectError } from '@connectrpc/connect'
import { errorFromJson } from '@connectrpc/connect/protocol-connect'
import { refusedOf } from './errors.ts'
import type { BrowserSession } from './session.ts'

/** What a client of OpenID Connect may know and do. */
export interface Access {
  readonly scopes: readonly string[]
  readonly claims: readonly string[]
  /** Scopes by the resource that they are of. */
  readonly resources: Readonly<Record<string, readonly string[]>>
}

/** What a client asks of whoever is at the browser, as `/oidc/i/<uid>/request` tells it. */
export interface InteractionRequest {
  readonly prompt: 'login' | 'consent'
  /** Why the person is asked. */
  readonly reasons: readonly string[]
  readonly client: {
    readonly id: string
    readonly name: string
    /** Where the answer goes; null for a device. */
    readonly uri: string | null
    readonly firstParty: boolean
  }
  readonly asked: Access
  /** What the person has not answered yet. */
  readonly missing: Access
  readonly loginHint: string | null
}

/** Acts of one interaction. Each answers where the browser has to go next. */
export interface Interaction {
  request(): Promise<InteractionRequest>
  /** Goes on with the session of this browser; refused with `INTERACTION_NEEDS` where something is to be done first. */
  signIn(): Promise<string>
  consent(access: Access): Promise<string>
  /** `error` where it is not the person who refuses. */
  refuse(error?: 'unmet_authentication_requirements'): Promise<string>
}

type Post = (act: string, body: object, signed: boolean) => Promise<Response>

/** The interaction that this browser was sent to. The cookie that binds it to the browser goes along by itself. */
export function interactionAt(uid: string, session: Pick<BrowserSession, 'accessToken' | 'renew'>): Interaction {
  const base = `/oidc/i/${uid}`
  const post: Post = async (act, body, signed) => {
    const send = (token: string | undefined) =>
      fetch(`${base}/${act}`, {
        method: 'POST',
        credentials: 'same-origin',
        headers: { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
        body: JSON.stringify(body),
      })
    const token = signed ? await session.accessToken() : undefined
    const answer = await send(token)
    if (answer.status !== 401 || token === undefined) return answer
    // The door refused the token before it did anything.
    return await send(await session.renew())
  }
  const locationOf = async (answer: Promise<Response>) => (await read<{ location: string }>(await answer)).location
  return {
    request: async () => await read(await fetch(`${base}/request`, { credentials: 'same-origin' })),
    signIn: () => locationOf(post('sign-in', {}, true)),
    consent: (access) => locationOf(post('consent', access, true)),
    refuse: (error) => locationOf(post('refuse', error === undefined ? {} : { error }, false)),
  }
}

/** What an interaction needs before a sign-in counts: `login`, `max_age`, `strength` (how much says `strength`) or `other_person`. Nothing for other refusals. */
export function interactionNeeds(error: unknown): { readonly need: string; readonly strength: string } | undefined {
  const { reason, metadata } = refusedOf(error)
  return reason === 'INTERACTION_NEEDS' ? { need: metadata.need ?? '', strength: metadata.strength ?? '' } : undefined
}

/** Refusals are written as those of an RPC. */
async function read<T>(answer: Response): Promise<T> {
  const body: unknown = await answer.json().catch(() => ({}))
  if (answer.ok) return body as T
  throw errorFromJson(body as Parameters<typeof errorFromJson>[0], answer.headers, new ConnectError('no answer', Code.Unavailable))
}
