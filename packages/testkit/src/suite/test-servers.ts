import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startNats } from '../nats-server.ts'
import { startPostgres } from '../postgres-server.ts'
import { SetupProblem } from '../setup-problem.ts'

/** One PostgreSQL and one nats-server for a whole run, told to the tests by environment variables; gone with their data afterwards. */
export async function withTestServers<T>(
  signal: AbortSignal,
  work: (env: NodeJS.ProcessEnv) => Promise<T>,
): Promise<{ readonly result: T } | { readonly failure: true }> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-tests-'))
  try {
    const began = performance.now()
    const say = (line: string): void => {
      if (line.startsWith('bringing')) process.stdout.write(`… ${line}\n`)
    }
    await mkdir(folder, { recursive: true })
    await using postgres = await startPostgres({ dataDir: join(folder, 'postgres'), durable: false, keep: false, maxConnections: 400 })
    await using nats = await startNats({ storeDir: join(folder, 'nats'), log: say })
    process.stdout.write(
      `✓ ${'test servers'.padEnd(24)} ${((performance.now() - began) / 1000).toFixed(1).padStart(5)} s  PostgreSQL on ${postgres.port}, NATS on ${nats.port}\n`,
    )
    for (const [name, server] of Object.entries({ PostgreSQL: postgres, NATS: nats })) {
      void server.exited.then(({ expected, lastLines }) => {
        if (!expected && !signal.aborted)
          process.stdout.write(`✗ the ${name} of the tests ended unasked; it said last:\n${lastLines.join('\n')}\n`)
      })
    }
    return { result: await work({ GATEHOUSE_TEST_POSTGRES_URL: postgres.url, GATEHOUSE_TEST_NATS_URL: nats.url }) }
  } catch (error) {
    if (!(error instanceof SetupProblem)) throw error
    process.stdout.write(`✗ ${error.message}\n`)
    return { failure: true }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
