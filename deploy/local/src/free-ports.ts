import { randomInt } from 'node:crypto'
import { createServer, type Server } from 'node:net'
import { SetupProblem } from '@gatehouse/testkit'

function listen(port: number, host: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(port, host, () => resolve(server))
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}

/**
 * `count` different ports that nobody listens on, below those that systems give to outgoing connections: whoever is stopped and started again finds its
 * port free.
 */
export async function freePort(count: number): Promise<number[]> {
  const servers: Server[] = []
  for (let tries = 1; servers.length < count; tries++) {
    try {
      servers.push(await listen(randomInt(10_240, 32_768), '127.0.0.1'))
    } catch (error) {
      if (tries === 1000) throw error
    }
  }
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map(close))
  return ports
}

/** Throws a {@link SetupProblem} that names the port and the way out when somebody listens on one of them. */
export async function demandFree(ports: ReadonlyMap<number, string>): Promise<void> {
  const taken: string[] = []
  for (const [port, variable] of ports) {
    try {
      await close(await listen(port, '127.0.0.1'))
    } catch (error) {
      const why = (error as NodeJS.ErrnoException).code === 'EACCES' ? 'may not be used by you' : 'is taken'
      taken.push(`Port ${port} ${why}: end the program that has it, or choose another with ${variable}=…`)
    }
  }
  if (taken.length === ports.size)
    throw new SetupProblem(
      'Gatehouse seems to run here already: end it where it was started (Ctrl-C), or choose other ports; deploy/local/README.md names their variables.',
    )
  if (taken.length > 0) throw new SetupProblem(taken.join('\n'))
}
