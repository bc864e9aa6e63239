import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hash, verify } from '@node-rs/argon2'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { toNodeHandler } from 'better-auth/node'
import pg from 'pg'
import { answerParent, type CommonActs } from './answer-parent.ts'

/** How passwords become hashes: as better-auth does by itself (scrypt), or by its hooks, with the hash and the parameters that we use. */
export type Hashing = 'its defaults' | 'equal hash cost'

/** better-auth as its documentation sets it up for node:http, with addresses and passwords. */
export interface BetterAuthServerActs extends CommonActs {
  /** Makes its tables where they are missing, then listens. */
  listen(order: { readonly databaseUrl: string; readonly origin: string; readonly hashing: Hashing }): Promise<number>
}

// Argon2id (2; the enum has no value at run time), 19 MiB, two passes, one lane: those of services/auth.
const parameters = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const

const argon2id = {
  hash: (password: string) => hash(password, parameters),
  verify: (order: { hash: string; password: string }) => verify(order.hash, order.password),
}

answerParent<Omit<BetterAuthServerActs, 'usage'>>({
  async listen({ databaseUrl, origin, hashing }) {
    const options = {
      database: new pg.Pool({ connectionString: databaseUrl }),
      baseURL: origin,
      secret: crypto.getRandomValues(Buffer.alloc(32)).toString('base64url'),
      emailAndPassword: { enabled: true, ...(hashing === 'equal hash cost' && { password: argon2id }) },
      // Nobody could be measured beyond it. Ours stay on: the client comes from everywhere.
      rateLimit: { enabled: false },
      telemetry: { enabled: false },
    }
    const { runMigrations } = await getMigrations(options)
    await runMigrations()
    const server = createServer(toNodeHandler(betterAuth(options)))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return (server.address() as AddressInfo).port
  },
})
