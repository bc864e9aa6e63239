import { availableParallelism } from 'node:os'
import { type Local, serviceNames } from '@gatehouse/local'
import { canPin, cores } from './child.ts'
import { pin, postmasterOf } from './processes.ts'

/**
 * Keeps Postgres, the services that are not measured and this process off the core of the one that is: what they do for it they do on the client's core, as
 * they would on other machines. Until disposed.
 */
export async function keepAside(local: Local): Promise<AsyncDisposable> {
  const pids = [await postmasterOf(local.postgresUrl), process.pid, ...serviceNames.map((name) => local.process(name).pid)]
  const everywhere = `0-${availableParallelism() - 1}`
  const all = async (where: number | string) => void (await Promise.all(pids.map((pid) => pin(pid, where))))
  if (canPin) await all(cores.client)
  return { [Symbol.asyncDispose]: () => all(everywhere) }
}
