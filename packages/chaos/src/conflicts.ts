import { roleOf, serviceNames } from '@gatehouse/local'
import pg from 'pg'

/** Of a hundred statements that write, and of a hundred rows at commit. */
const percent = { statements: 4, commits: 2 }

/**
 * Makes the server refuse transactions for conflicts, and counts how often it did. Two causes, both the server's own errors after which it undoes the
 * transaction: every transaction is serializable, so that it finds real conflicts at statements and at commits; and triggers raise the same codes by chance,
 * before statements and, deferred, at commits, on every table that a service writes, so that a table whose rivals never meet has its share.
 */
export class Conflicts {
  #serialization = 0
  #atStatements = 0
  #atCommits = 0

  /** How often the server said so: found by itself, and raised by chance at statements and at commits. */
  get counts(): { readonly found: number; readonly atStatements: number; readonly atCommits: number } {
    return { found: this.#serialization, atStatements: this.#atStatements, atCommits: this.#atCommits }
  }

  /** Reads a line of the server's log. */
  line(line: string): void {
    if (!/\|ERROR: {2}/.test(line)) return
    if (/could not serialize access|deadlock detected/.test(line)) this.#serialization++
    else if (line.includes('by chance at a statement')) this.#atStatements++
    else if (line.includes('by chance at a commit')) this.#atCommits++
  }

  /** Roles get what a pooler does not pass on, and the strictest isolation: before the first of their connections. The URL is a superuser's, of the services' database. */
  async prepare(url: string): Promise<void> {
    await withClient(url, async (client) => {
      for (const name of serviceNames) {
        const settings = { statement_timeout: '5s', lock_timeout: '4s', idle_in_transaction_session_timeout: '10s' }
        for (const [setting, value] of Object.entries({ ...settings, default_transaction_isolation: 'serializable' }))
          await client.query(`alter role ${roleOf(name)} set ${setting} = '${value}'`)
      }
    })
  }

  /** From now on statements and commits fail by chance, until it is disposed of. */
  async force(url: string): Promise<AsyncDisposable> {
    await withClient(url, async (client) => {
      for (const statement of chance(percent)) await client.query(statement)
      for (const table of await tables(client)) {
        await client.query(
          `create trigger aa_by_chance before insert or update or delete on ${table} for each statement execute function public.refuse_statement()`,
        )
        await client.query(
          `create constraint trigger zz_by_chance after insert or update on ${table} deferrable initially deferred for each row execute function public.refuse_commit()`,
        )
      }
    })
    return {
      // The triggers stay: to drop them each table would have to be locked.
      [Symbol.asyncDispose]: () =>
        withClient(url, async (client) => {
          for (const statement of chance({ statements: 0, commits: 0 })) await client.query(statement)
        }),
    }
  }
}

const chance = ({ statements, commits }: typeof percent): readonly string[] => [
  'grant usage on schema public to public',
  `create or replace function public.refuse_statement() returns trigger language plpgsql as $$ begin
    if random() < ${statements / 100} then
      raise exception 'refused by chance at a statement on %', tg_table_name using errcode = case when random() < 0.5 then '40001' else '40P01' end;
    end if; return null; end $$`,
  `create or replace function public.refuse_commit() returns trigger language plpgsql as $$ begin
    if random() < ${commits / 100} then
      raise exception 'refused by chance at a commit of %', tg_table_name using errcode = '40001';
    end if; return null; end $$`,
]

async function tables(client: pg.Client): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = any($1) and tablename <> 'schema_migrations'`,
    [serviceNames.map(roleOf)],
  )
  return rows.map(({ name }) => name)
}

async function withClient(url: string, act: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await act(client)
  } finally {
    await client.end()
  }
}
