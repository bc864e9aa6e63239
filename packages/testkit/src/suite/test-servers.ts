import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startNats } from '../nats-server.ts'
import { startPgBouncer } from '../pgbouncer.ts'
import { StatementLog, statementLogSettings } from '../portable-sql.ts'
import { startPostgres } from '../postgres-server.ts'
import { SetupProblem } from '../setup-problem.ts'

function isPortable({ statements, offences }: StatementLog): boolean {
  const mark = offences.length > 0 ? '✗' : '✓'
  process.stdout.write(`${mark} portable SQL               ${statements} statements read, ${offences.length} of them not portable\n`)
  for (const offence of offences) process.stdout.write(`  ${offence}\n`)
  return statements > 0 && offences.length === 0
}

/**
 * One PostgreSQL and one nats-server for a whole run, told to the tests by environment variables; gone with their data afterwards. `throughPooler` puts a
 * PgBouncer in transaction mode before PostgreSQL and reads every statement that arrives there: one that is not portable is a failure.
 */
export async function withTestServers<T>(
  { signal, throughPooler }: { readonly signal: AbortSignal; readonly throughPooler: boolean },
  work: (env: NodeJS.ProcessEnv) => Promise<T>,
): Promise<{ readonly result: T } | { readonly failure: true }> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-tests-'))
  try {
    const began = performance.now()
    const say = (line: string): void => {
      if (line.startsWith('bringing')) process.stdout.write(`… ${line}\n`)
    }
    await mkdir(folder, { recursive: true })
    const statements = throughPooler ? new StatementLog() : undefined
    await using postgres = await startPostgres({
      dataDir: join(folder, 'postgres'),
      durable: false,
      keep: false,
      maxConnections: 400,
      ...(statements && { settings: statementLogSettings, log: statements.line }),
    })
    await using pooler = throughPooler ? await startPgBouncer({ postgresUrl: postgres.url, log: say }) : undefined
    await using nats = await startNats({ storeDir: join(folder, 'nats'), log: say })
    process.stdout.write(
      `✓ ${'test servers'.padEnd(24)} ${((performance.now() - began) / 1000).toFixed(1).padStart(5)} s  PostgreSQL on ${postgres.port}, NATS on ${nats.port}${pooler ? `, PgBouncer ${pooler.version} on ${pooler.port}` : ''}\n`,
    )
    for (const [name, server] of Object.entries({ PostgreSQL: postgres, NATS: nats })) {
      void server.exited.then(({ expected, lastLines }) => {
        if (!expected && !signal.aborted)
          process.stdout.write(`✗ the ${name} of the tests ended unasked; it said last:\n${lastLines.join('\n')}\n`)
      })
    }
    const result = await work({
      GATEHOUSE_TEST_POSTGRES_URL: postgres.url,
      GATEHOUSE_TEST_NATS_URL: nats.url,
      ...(pooler && { GATEHOUSE_TEST_POOLER_PORT: String(pooler.port) }),
    })
    return statements && !isPortable(statements) ? { failure: true } : { result }
  } catch (error) {
    if (!(error instanceof SetupProblem)) throw error
    process.stdout.write(`✗ ${error.message}\n`)
    return { failure: true }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
