import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { freePort, startOwned } from '../src/index.ts'
import { until } from './house.ts'

/** A Prometheus of one's own. */
export interface Prometheus extends AsyncDisposable {
  /** Series that an expression has now. @throws Error with what Prometheus says of one that it cannot evaluate. */
  ask(expr: string): Promise<readonly { readonly metric: Readonly<Record<string, string>>; readonly value: readonly [number, string] }[]>
}

export interface PrometheusOptions {
  readonly program: string
  /** Whom to ask, by `job`. */
  readonly jobs: Readonly<Record<string, number>>
  readonly ruleFiles: readonly string[]
}

/** Starts Prometheus with rules, and answers when it has scraped every job twice: a rate wants two values. */
export async function startPrometheus({ program, jobs, ruleFiles }: PrometheusOptions): Promise<Prometheus> {
  await using opening = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-prometheus-'))
  opening.defer(() => rm(folder, { recursive: true, force: true }))
  const config = {
    global: { scrape_interval: '500ms', evaluation_interval: '1s' },
    rule_files: ruleFiles,
    scrape_configs: Object.entries(jobs).map(([job, port]) => ({ job_name: job, static_configs: [{ targets: [`127.0.0.1:${port}`] }] })),
  }
  await writeFile(join(folder, 'prometheus.yml'), stringify(config))
  const port = await freePort()
  const args = [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]
  const child = await startOwned({ command: program, args, stopSignal: 'SIGTERM', insistSignal: 'SIGKILL', graceMs: 10_000 })
  opening.defer(async () => {
    await child.stop()
  })
  const ask: Prometheus['ask'] = async (expr) => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query`, { method: 'POST', body: new URLSearchParams({ query: expr }) })
    const { status, error, data } = (await answer.json()) as {
      status: string
      error?: string
      data: { result: Awaited<ReturnType<Prometheus['ask']>> }
    }
    if (status !== 'success') throw new Error(`${expr}: ${error}`)
    return data.result
  }
  await until(
    'Prometheus to have scraped everybody twice',
    async () => {
      const seen = await ask('count_over_time(up[1m]) > 1 and up == 1').catch(() => [])
      return seen.length === Object.keys(jobs).length || undefined
    },
    60_000,
  )
  const owned = opening.move()
  return { ask, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
