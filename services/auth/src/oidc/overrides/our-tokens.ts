import type { IncomingMessage } from 'node:http'
import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { comeAgain, isAway } from '../../core/oidc/is-away.ts'
import { factsOf } from '../client-facts.ts'

/** A client that the library let in. */
export interface JudgedClient {
  readonly clientId: string
  readonly isPublic: boolean
  readonly introspects: readonly string[]
}

type Finish = (client: JudgedClient) => Promise<object | string>

const finishes = new WeakMap<IncomingMessage, Finish>()

/** Has a request answered by us once the library has found out which client sent it. */
export function finishWith(request: IncomingMessage, finish: Finish): IncomingMessage {
  finishes.set(request, finish)
  return request
}

/** The library says who asks; what a token is, we say. */
export function finishOurAnswers(provider: Provider): void {
  provider.use(async (context, next) => {
    await next()
    const finish = finishes.get(context.req)
    if (finish === undefined || context.status !== 200) return
    const { client } = (context as unknown as KoaContextWithOIDC).oidc
    // Nobody is answered whom the library has not let in.
    if (client === undefined) throw new TypeError('the library answered nobody')
    try {
      const { clientId, clientAuthMethod } = client
      context.body = await finish({ clientId, isPublic: clientAuthMethod === 'none', introspects: factsOf(client).gatehouse_introspects })
    } catch (error) {
      if (!isAway(error)) throw error
      context.status = 503
      context.body = comeAgain
    }
  })
}
