import type { Usage } from '../child.ts'

interface Order {
  readonly id: number
  readonly name: string
  readonly input: unknown
}

/** What every program can be asked. */
export interface CommonActs {
  usage(): Promise<Usage>
}

/** A server that echoes as somebody else would write it. */
export interface EchoPeerActs extends CommonActs {
  /** Answers its port. */
  listen(): Promise<number>
  /** How often it has echoed. */
  served(): Promise<number>
}

/** Answers the process that started this one, until it goes away. */
export function answerParent<Acts extends object>(acts: Acts): void {
  const known = { usage, ...acts } as unknown as Record<string, (input: unknown) => Promise<unknown>>
  process.on('message', ({ id, name, input }: Order) => {
    const act = known[name]
    const answer = act ? act(input) : Promise.reject(new Error(`there is no ${name}`))
    answer.then(
      (output) => process.send?.({ id, output }),
      (error: unknown) => process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    )
  })
  // Nothing here outlives a run, so what is still open need not be closed one by one.
  process.on('disconnect', () => process.exit())
}

async function usage(): Promise<Usage> {
  const { user, system } = process.cpuUsage()
  return { cpuSeconds: (user + system) / 1e6, residentBytes: process.memoryUsage.rss() }
}
