import pg from 'pg'
import { type Child, cores, equalFlags, startChild } from './child.ts'
import { makeDatabase } from './databases.ts'
import type { BetterAuthServerActs, Hashing } from './programs/better-auth-server.ts'
import { postJson } from './programs/post-json.ts'

/** better-auth as a process of its own. */
export interface BetterAuth extends AsyncDisposable {
  readonly child: Child<BetterAuthServerActs>
  readonly port: number
}

/** The same, with people. */
export interface PeopledBetterAuth extends BetterAuth {
  readonly emails: readonly string[]
  readonly password: string
  readonly session: BetterAuthSession
}

/** The Cookie header of somebody who is signed in, and what get-session answers them. */
export interface BetterAuthSession {
  readonly cookie: string
  readonly answer: Buffer
}

const people = 10_000
const password = 'a sentence that everybody has'

/** An empty database for it, on the server of a URL of a superuser. */
export function betterAuthDatabase(server: string, hashing: Hashing): Promise<string> {
  return makeDatabase(server, `better_auth_${hashing.replaceAll(' ', '_')}`)
}

/** Starts one on that database; its tables are made where they are missing. With a core, it has the flags of V8 that all measured sides have. */
export async function startBetterAuth(databaseUrl: string, origin: string, hashing: Hashing, core?: number): Promise<BetterAuth> {
  const env = { NODE_ENV: 'production' }
  const child = await startChild<BetterAuthServerActs>('better-auth-server', core, env, core === undefined ? [] : equalFlags)
  const port = await child.call('listen', { databaseUrl, origin, hashing })
  return { child, port, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() }
}

/** Starts one on the core of servers, on an empty database, and gives it as many people as Gatehouse has in the same measurement. */
export async function peopledBetterAuth(server: string, origin: string, hashing: Hashing): Promise<PeopledBetterAuth> {
  const databaseUrl = await betterAuthDatabase(server, hashing)
  await using opening = new AsyncDisposableStack()
  const { child, port } = opening.use(await startBetterAuth(databaseUrl, origin, hashing, cores.server))
  const email = 'person-0@bench.example'
  const session = await signUp(port, origin, email)
  await copyPeople(databaseUrl, email)
  const owned = opening.move()
  const emails = Array.from({ length: 64 }, (_, number) => `person-${number * 100 + 1}@bench.example`)
  return { child, port, emails, password, session, [Symbol.asyncDispose]: () => owned.disposeAsync() }
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

/** Signs somebody up, who is signed in by that. */
export async function signUp(port: number, origin: string, email: string): Promise<BetterAuthSession> {
  const signedUp = await postJson(port, '/api/auth/sign-up/email', { origin }, { email, password, name: 'Person 0' })
  if (signedUp.status !== 200) throw new Error(`the first sign-up answered ${signedUp.status} ${signedUp.text}`)
  const cookie = (signedUp.headers['set-cookie'] ?? []).map((set) => set.split(';')[0]).join('; ')
  const response = await fetch(`http://127.0.0.1:${port}/api/auth/get-session`, { headers: { cookie } })
  const answer = Buffer.from(await response.arrayBuffer())
  if (response.status !== 200 || !answer.includes(email)) throw new Error(`get-session answered ${answer}`)
  return { cookie, answer }
}
