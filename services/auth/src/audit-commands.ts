import { readFile } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { type Command, CommandFailed, CommandProblem } from '@gatehouse/cli'
import { connect } from '@gatehouse/postgres'
import { print } from '@gatehouse/service'
import { makeCheckpoint } from './core/audit/checkpoints.ts'
import { exportEntries } from './core/audit/export-entries.ts'
import { pageOfCheckpoints } from './core/audit/list-entries.ts'
import { pruneEntries } from './core/audit/prune-entries.ts'
import { verifyChain } from './core/audit/verify-chain.ts'
import { defaultTenant } from './core/tenants/create-tenant.ts'
import { none, operated } from './operated.ts'
import type { Operator } from './operator.ts'
import type { Schema } from './store/schema.ts'

/** A chain of millions takes longer than any call may. */
const longStatementMs = 10 * 60_000

/** What `gatehouse` can do with the audit log. */
export const auditCommands: readonly Command[] = [
  {
    name: 'audit export',
    usage: '[--since TIME] [--until TIME] [--tenant ID]',
    summary: 'prints the sealed entries of the audit log as NDJSON, in the order of their chain',
    run: operated(async ({ deps }, words, { tenant = defaultTenant, since, until }) => {
      none(words)
      const filter = {
        ...(since !== undefined && { from: timeOf(since) }),
        ...(until !== undefined && { until: timeOf(until) }),
        actorId: '',
        subjectId: '',
        kinds: [],
        sessionId: '',
        traceId: '',
      }
      await pipeline(exportEntries(deps, { tenant, filter }), process.stdout, { end: false })
    }),
  },
  {
    name: 'audit checkpoints',
    usage: '[--now] [--tenant ID]',
    summary: 'prints the signed checkpoints of the audit log, to be kept elsewhere; --now signs one first',
    run: operated(async ({ deps }, words, { tenant = defaultTenant, now }) => {
      none(words)
      if (now !== undefined) await makeCheckpoint(deps, tenant)
      for (let pageToken = '', more = true; more; more = pageToken !== '') {
        const page = await pageOfCheckpoints(deps, { tenant, pageSize: 200, pageToken })
        for (const jws of page.checkpoints) print(jws)
        pageToken = page.nextPageToken
      }
    }),
  },
  {
    name: 'audit verify',
    usage: '[--checkpoints FILE] [--tenant ID]',
    summary: 'computes the chain of the audit log anew, and holds it against its checkpoints and those that were kept in a file',
    run: operated(async ({ config }, words, { tenant = defaultTenant, checkpoints: file }) => {
      none(words)
      const kept = file === undefined ? [] : (await readFile(file, 'utf8')).split('\n').flatMap((line) => line.trim() || [])
      await using database = connect<Schema>({
        url: config.databaseUrl,
        poolSize: 1,
        namedStatements: false,
        statementTimeoutMs: longStatementMs,
        applicationName: 'gatehouse audit verify',
      })
      const { findings, entries, first, last, checkpoints } = await verifyChain(database.kysely, { tenant, kept })
      for (const finding of findings) print(finding)
      if (findings.length > 0) throw new CommandFailed(`The audit log of ${tenant} is not what it was: ${findings[0]}.`)
      print(
        `${entries} entries of ${tenant}, ${first} to ${last}, are as they were sealed; ${checkpoints === 1 ? '1 checkpoint fits' : `${checkpoints} checkpoints fit`}`,
      )
      if (kept.length === 0)
        print('Without checkpoints that were kept elsewhere (--checkpoints) nobody can tell whether the end was cut off.')
    }),
  },
  {
    name: 'audit prune',
    usage: '--before TIME [--tenant ID]',
    summary: 'removes what a checkpoint before that time covers; AUDIT_OWNER_DATABASE_URL names a role that may, which the service may not',
    run: operated(async (operator, words, { tenant = defaultTenant, before }, env) => {
      none(words)
      if (before === undefined) throw new CommandProblem('Up to when? --before 2026-01-01T00:00:00Z')
      await prune(operator, tenant, timeOf(before), env.AUDIT_OWNER_DATABASE_URL)
    }),
  },
]

async function prune({ deps }: Operator, tenant: string, before: Date, url = ''): Promise<void> {
  if (!URL.canParse(url)) throw new CommandProblem('AUDIT_OWNER_DATABASE_URL has to name a role that may delete entries of the audit log.')
  await using database = connect<Schema>({
    url: inOwnSchema(url),
    poolSize: 1,
    namedStatements: false,
    statementTimeoutMs: longStatementMs,
    applicationName: 'gatehouse audit prune',
  })
  const { upTo, removed } = await pruneEntries(deps, database.kysely, { tenant, before })
  if (upTo === 0n) throw new CommandFailed(`${tenant} has no checkpoint before ${before.toISOString()}: nothing was removed.`)
  print(`${removed} entries of ${tenant} are removed, up to ${upTo}; the checkpoint there says what they were`)
}

/** The other role finds the tables where the service's own does. */
function inOwnSchema(other: string): string {
  const url = new URL(other)
  if (!url.searchParams.has('options')) url.searchParams.set('options', '-csearch_path=gatehouse_auth')
  return url.href
}

function timeOf(text: string): Date {
  const time = new Date(text)
  if (!/^\d{4}-\d{2}-\d{2}/.test(text) || Number.isNaN(time.getTime())) throw new CommandProblem(`${text} is no time: 2026-01-01T00:00:00Z`)
  return time
}
