interface ClientName {
  readonly tenant: string
  readonly clientId: string
}

/** Clients that do not answer, and what is waiting for them: left alone for a while, so that nobody else's waits behind it. Of this process only. */
export interface RestingClients {
  list(now: number): ClientName[]
  /** Answers how often it failed in a row. */
  rest(client: ClientName, now: number): number
  awake(client: ClientName): void
}

const firstMs = 4_000
const longestMs = 60_000

export function createRestingClients(): RestingClients {
  const failed = new Map<string, ClientName & { readonly times: number; readonly until: number }>()
  const keyOf = ({ tenant, clientId }: ClientName) => `${tenant}\0${clientId}`
  return {
    list: (now) => [...failed.values()].filter(({ until }) => until > now),
    rest(client, now) {
      const before = failed.get(keyOf(client))
      // Many fail at once, and that is one time.
      if (before !== undefined && before.until > now) return before.times + 1
      const times = (before?.times ?? 0) + 1
      failed.set(keyOf(client), { ...client, times, until: now + Math.min(longestMs, firstMs * 2 ** (times - 1)) })
      return times
    },
    awake: (client) => void failed.delete(keyOf(client)),
  }
}
