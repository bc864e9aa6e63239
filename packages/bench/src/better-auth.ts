import pg from 'pg'
import { type Child, cores, startChild } from './child.ts'
import { makeDatabase } from './databases.ts'
import type { BetterAuthServerActs, Hashing } from './programs/better-auth-server.ts'
import { type JsonAnswer, postJson } from './programs/post-json.ts'

/** better-auth with people, as a process of its own. */
export interface BetterAuth extends AsyncDisposable {
  readonly child: Child<BetterAuthServerActs>
  readonly port: number
  readonly emails: readonly string[]
  readonly password: string
  /** The Cookie header of somebody who is signed in, and what get-session answers them. */
  readonly session: { readonly cookie: string; readonly answer: Buffer }
  /** Milliseconds from the start of the process until it answered. */
  readonly startMs: number
}

const people = 10_000
const password = 'a sentence that everybody has'

/** Starts one on a core of its own, on a database of its own of this server, with as many people as Gatehouse has in the same measurement. */
export async function openBetterAuth(server: string, origin: string, hashing: Hashing): Promise<BetterAuth> {
  const databaseUrl = await makeDatabase(server, `better_auth_${hashing.replaceAll(' ', '_')}`)
  await using opening = new AsyncDisposableStack()
  const began = performance.now()
  const child = opening.use(await startChild<BetterAuthServerActs>('better-auth-server', cores.server, { NODE_ENV: 'production' }))
  const port = await child.call('listen', { databaseUrl, origin, hashing })
  const startMs = performance.now() - began
  const model = { email: 'person-0@bench.example', password, name: 'Person 0' }
  const answer = await postJson(port, '/api/auth/sign-up/email', { origin }, model)
  if (answer.status !== 200) throw new Error(`the first sign-up answered ${answer.status} ${answer.text}`)
  await copyPeople(databaseUrl, model.email)
  const session = await sessionOf(port, answer)
  const owned = opening.move()
  const emails = Array.from({ length: 64 }, (_, number) => `person-${number * 100 + 1}@bench.example`)
  return { child, port, emails, password, session, startMs, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** Ten thousand like the first: hashing a password for each would take the machine a while. */
async function copyPeople(url: string, email: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    await client.query(
      `insert into "user" (id, name, email, "emailVerified", "createdAt", "updatedAt")
       select gen_random_uuid()::text, 'Person ' || n, 'person-' || n || '@bench.example', true, now(), now() from generate_series(1, $1::integer) as n`,
      [people],
    )
    await client.query(
      `insert into account (id, "accountId", "providerId", "userId", password, "createdAt", "updatedAt")
       select gen_random_uuid()::text, other.id, model."providerId", other.id, model.password, now(), now()
       from account as model join "user" as owner on owner.id = model."userId" and owner.email = $1, "user" as other where other.email <> $1`,
      [email],
    )
    await client.query('analyze')
  } finally {
    await client.end()
  }
}

async function sessionOf(port: number, { headers }: JsonAnswer): Promise<BetterAuth['session']> {
  const cookie = (headers['set-cookie'] ?? []).map((set) => set.split(';')[0]).join('; ')
  const response = await fetch(`http://127.0.0.1:${port}/api/auth/get-session`, { headers: { cookie } })
  const answer = Buffer.from(await response.arrayBuffer())
  if (response.status !== 200 || !answer.includes('person-0@bench.example')) throw new Error(`get-session answered ${answer}`)
  return { cookie, answer }
}
