import { fileURLToPath } from 'node:url'
import type { Logger } from '@gatehouse/telemetry'
import { metrics } from '@opentelemetry/api'
import { rangeEndpoint } from './endpoint.ts'
import { openBreachFilter, sha1Of } from './filter.ts'

/** The passwords of the million that are met most, as far as they are long enough to be chosen. */
export const shippedFilter = fileURLToPath(new URL('../../../../data/breached-passwords.filter', import.meta.url))

/** Passwords that are known from breaches. */
export interface BreachList {
  knows(password: string): Promise<boolean>
}

export interface BreachListOptions {
  /** Path of the filter; the shipped one where none is given. */
  readonly filter?: string | undefined
  /** Where to ask too, by k-anonymity. */
  readonly url?: string | undefined
  readonly log: Logger
}

/** A list on board, and an endpoint where one is configured. While the endpoint is away the list decides: nobody is kept from choosing a password. */
export async function openBreachList({ filter, url, log }: BreachListOptions): Promise<BreachList & AsyncDisposable> {
  const list = await openBreachFilter(filter ?? shippedFilter)
  const onFailure = (problem: string) => log.warn({ problem }, 'the list of breached passwords does not answer; the one on board decides')
  const ask = url === undefined ? undefined : rangeEndpoint({ url, onFailure })
  const lookups = metrics.getMeter('gatehouse.auth').createCounter('gatehouse.passwords.breach_lookups', {
    description: 'New passwords that were looked up in the lists of breached ones, by the list that decided and what it said',
  })
  return {
    async knows(password) {
      if (await list.has(sha1Of(password))) {
        lookups.add(1, { list: 'on board', said: 'breached' })
        return true
      }
      const said = await ask?.(password)
      lookups.add(1, { list: said === undefined ? 'on board' : 'endpoint', said: said ? 'breached' : 'clear' })
      if (ask !== undefined && said === undefined) lookups.add(1, { list: 'endpoint', said: 'nothing' })
      return said === true
    },
    [Symbol.asyncDispose]: () => list[Symbol.asyncDispose](),
  }
}
