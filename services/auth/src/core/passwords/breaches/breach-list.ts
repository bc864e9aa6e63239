import { fileURLToPath } from 'node:url'
import type { Logger } from '@gatehouse/telemetry'
import { metrics } from '@opentelemetry/api'
import { rangeEndpoint } from './endpoint.ts'
import { openBreachFilter, sha1Of } from './filter.ts'

/** So long is what everybody may choose; few breached passwords are. */
export const longPassword = 15

const onBoard = (name: string): string => fileURLToPath(new URL(`../../../../data/${name}`, import.meta.url))

/** The passwords of the million that are met most: those of 15 code points and more, of which hardly another is taken for one of them, and the shorter ones from 8 on. */
export const shippedFilters = { long: onBoard('breached-long-passwords.filter'), short: onBoard('breached-short-passwords.filter') }

/** How the filters on board are made of the list. */
export const shippedAs = { long: { minLength: longPassword, bitsPerEntry: 64 }, short: { minLength: 8, maxLength: longPassword - 1 } }

/** Passwords that are known from breaches. */
export interface BreachList {
  knows(password: string): Promise<boolean>
}

export interface BreachListOptions {
  /** Path of a filter for passwords of every length; the shipped ones where none is given. */
  readonly filter?: string | undefined
  /** Where to ask too, by k-anonymity. */
  readonly url?: string | undefined
  readonly log: Logger
}

/** A list on board, and an endpoint where one is configured. While the endpoint is away the list decides: nobody is kept from choosing a password. */
export async function openBreachList({ filter, url, log }: BreachListOptions): Promise<BreachList & AsyncDisposable> {
  await using lists = new AsyncDisposableStack()
  const open = async (path: string) => lists.use(await openBreachFilter(path))
  const long = await open(filter ?? shippedFilters.long)
  const short = filter === undefined ? await open(shippedFilters.short) : long
  const onFailure = (problem: string) => log.warn({ problem }, 'the list of breached passwords does not answer; the one on board decides')
  const ask = url === undefined ? undefined : rangeEndpoint({ url, onFailure })
  const lookups = metrics.getMeter('gatehouse.auth').createCounter('gatehouse.passwords.breach_lookups', {
    description: 'New passwords that were looked up in the lists of breached ones, by the list that decided and what it said',
  })
  const opened = lists.move()
  return {
    async knows(password) {
      const list = [...password].length >= longPassword ? long : short
      if (await list.has(sha1Of(password))) {
        lookups.add(1, { list: 'on board', said: 'breached' })
        return true
      }
      const said = await ask?.(password)
      lookups.add(1, { list: said === undefined ? 'on board' : 'endpoint', said: said ? 'breached' : 'clear' })
      if (ask !== undefined && said === undefined) lookups.add(1, { list: 'endpoint', said: 'nothing' })
      return said === true
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
