import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { type Secret, secret } from './secret.ts'

/** Passwords by the logins of deploy/postgres/roles.sql. */
export type Logins = Readonly<Record<string, string>>

/** For an operator of Postgres that keeps roles as Secrets say, which is CloudNativePG, and for PgBouncer beside it. */
export function operatorSecrets(logins: Logins): readonly Secret[] {
  const roles = Object.entries(logins).map(([username, password]) => {
    const { metadata, ...rest } = secret('postgres', username.replaceAll('_', '-'), { username, password })
    // With the label the operator sees a new password at once.
    return { ...rest, type: 'kubernetes.io/basic-auth', metadata: { ...metadata, labels: { 'cnpg.io/reload': 'true' } } }
  })
  // Migrations go past it.
  const pooled = Object.entries(logins).filter(([login]) => !login.endsWith('_migrator'))
  const users = pooled.map(([login, password]) => `"${login}" "${password}"\n`).join('')
  return [...roles, secret('postgres', 'pgbouncer-users', { 'userlist.txt': users })]
}

/** For `psql`, as a role with CREATEROLE and CREATEDB: the scripts of deploy/postgres, and between them passwords and a database. Safe to run again. */
export async function rolesSql(logins: Logins): Promise<string> {
  return [
    await committed('roles.sql'),
    ...Object.entries(logins).map(([login, password]) => `alter role ${login} password '${scramOf(password)}';`),
    `select $$create database gatehouse template template0 encoding 'UTF8' locale 'C'$$`,
    `  where not exists (select from pg_database where datname = 'gatehouse') \\gexec`,
    '\\connect gatehouse',
    await committed('schemas.sql'),
  ].join('\n')
}

const committed = (name: string): Promise<string> => readFile(new URL(`../../postgres/${name}`, import.meta.url), 'utf8')

/** What a server keeps of a password (RFC 5803): statements end up in logs. */
function scramOf(given: string): string {
  const salt = randomBytes(16)
  const salted = pbkdf2Sync(given, salt, 4096, 32, 'sha256')
  const keyOf = (name: string) => createHmac('sha256', salted).update(name).digest()
  const stored = createHash('sha256').update(keyOf('Client Key')).digest('base64')
  return `SCRAM-SHA-256$4096:${salt.toString('base64')}$${stored}:${keyOf('Server Key').toString('base64')}`
}
