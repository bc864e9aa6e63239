import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Local, ServiceName } from '@gatehouse/local'
import { startOwned } from '@gatehouse/testkit'
import type { Bench } from './benchmark.ts'
import { cores, equalFlags, onCore, profileFlags } from './child.ts'
import { root } from './results.ts'

/** Another process of a service beside the house's own, on one core. */
export interface Replica extends AsyncDisposable {
  readonly pid: number
  readonly ports: { readonly grpc: number; readonly web: number; readonly metrics: number }
  /** Processor seconds that it has used. */
  cpuSeconds(): Promise<number>
}

/** Starts one on ports of its own, on a core or on any, with `env` instead of the house's, with the flags of V8 that all sides of a measurement have; settles when it is ready. */
export async function startReplica(
  local: Local,
  name: ServiceName,
  core: number | undefined,
  env: Readonly<Record<string, string>> = {},
): Promise<Replica> {
  const replica = await startOwned({
    ...onCore(core, [process.execPath, ...equalFlags, ...profileFlags(name), join(root, 'services', name, 'src', 'main.ts')]),
    stopSignal: 'SIGTERM',
    insistSignal: 'SIGKILL',
    graceMs: 25_000,
    cwd: root,
    env: {
      ...process.env,
      NODE_NO_WARNINGS: '1',
      UV_THREADPOOL_SIZE: String(availableParallelism() + 4),
      LOG_LEVEL: 'info',
      ...local.environment(name),
      ...env,
      GRPC_PORT: '0',
      WEB_PORT: '0',
      METRICS_PORT: '0',
    },
  })
  const line = await replica.line((said) => said.includes('"ready"'), 60_000)
  if (line === undefined) {
    await replica.stop()
    throw new Error(`a replica of ${name} is not ready; it said:\n${replica.lastLines.join('\n')}`)
  }
  const { ports } = JSON.parse(line) as { ports: Replica['ports'] }
  return {
    pid: replica.pid,
    ports,
    cpuSeconds: () => cpuSecondsOf(replica.pid),
    [Symbol.asyncDispose]: async () => void (await replica.stop()),
  }
}

/** A replica that is measured. The smoke measures nothing: it is content with the house's own. */
export async function measuredReplica({ effort }: Bench, local: Local, name: ServiceName): Promise<Replica> {
  if (effort.name !== 'smoke') return startReplica(local, name, cores.server)
  const { pid } = local.process(name)
  return { pid, ports: local.ports.services[name], cpuSeconds: () => cpuSecondsOf(pid), [Symbol.asyncDispose]: async () => undefined }
}

/** Fields 14 and 15 of /proc/PID/stat, in hundredths of a second. */
async function cpuSecondsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}
