import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, startNats } from '@gatehouse/testkit'

const size = 3

/** A cluster of three nats-servers; `url` names them all. */
export async function openCluster(): Promise<AsyncDisposable & { readonly url: string }> {
  await using made = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-test-cluster-'))
  made.defer(() => rm(folder, { recursive: true, force: true }))
  const free = new Set<number>()
  while (free.size < 2 * size) free.add(await freePort())
  const ports = [...free].slice(0, size)
  const servers = await Promise.all(
    [...free].slice(size).map((monitorPort, at) => {
      const server = `test-${at}`
      const cluster = { cluster: 'test', server, port: ports[at] ?? 0, ports, monitorPort }
      return startNats({ storeDir: join(folder, server), cluster })
    }),
  )
  for (const server of servers) made.use(server)
  const all = made.move()
  return { url: servers.map(({ url }) => url).join(), [Symbol.asyncDispose]: () => all.disposeAsync() }
}
