import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setDefaultCACertificates } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { findNatsServer, freePort, natsUsersFile, type OwnedProcess, passwordVariableOf, startOwned } from '@gatehouse/testkit'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const tlsOf = (name: string): string => join(root, 'packages/rpc/testdata/tls', name)

/** The three nodes of deploy/nats, on this machine. */
export interface DeployedNats extends AsyncDisposable {
  /** With the user's password, and all three nodes. */
  readonly url: (user: string) => string
  readonly ports: readonly number[]
  /** What all nodes wrote: with every line of every client's, for they trace. */
  readonly lines: readonly string[]
  readonly kill: (node: number) => Promise<void>
}

const users = ['user', 'auth', 'notification', 'streams', 'operator', 'billing', 'orders'] as const

/**
 * Starts what deploy/nats says, with its own files: only addresses and folders are this machine's. `users.conf` is what the generator writes for two
 * teams of outsiders. Connections of this process believe its authority from now on.
 */
export async function deployedNats(): Promise<DeployedNats> {
  const binary = await findNatsServer()
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-deployed-nats-'))
  const passwords = Object.fromEntries(users.map((user) => [user, randomBytes(24).toString('base64url')]))
  const ports = await Promise.all(users.slice(0, 3).map(freePort))
  const routes = await Promise.all(users.slice(0, 3).map(freePort))
  setDefaultCACertificates([await readFile(tlsOf('house-ca.pem'), 'utf8')])
  const lines: string[] = []
  const nodes: (OwnedProcess | undefined)[] = []

  const write = async (node: number): Promise<string> => {
    const home = join(folder, String(node))
    await mkdir(home, { recursive: true })
    const conf = await readFile(join(root, 'deploy/nats/nats.conf'), 'utf8')
    const here = [
      ['"0.0.0.0:4222"', `"127.0.0.1:${ports[node]}"`],
      ['"0.0.0.0:6222"', `"127.0.0.1:${routes[node]}"`],
      ['"0.0.0.0:8222"', '"127.0.0.1:-1"'],
      ['/var/run/nats/nats.pid', join(home, 'pid')],
      ['"/data"', JSON.stringify(join(home, 'data'))],
      ['/etc/nats/tls/tls.crt', tlsOf('house-leaf.pem')],
      ['/etc/nats/tls/tls.key', tlsOf('house-leaf-key.pem')],
      ['/etc/nats/tls/ca.crt', tlsOf('house-ca.pem')],
      ...routes.map((port, i) => [`nats-${i}.nats-headless:6222`, `127.0.0.1:${port}`]),
    ] as const
    await writeFile(join(home, 'nats.conf'), `${here.reduce(replaced, conf)}\ntrace: true\n`)
    await writeFile(join(home, 'users.conf'), natsUsersFile(['billing', 'orders']))
    const secrets = Object.entries(passwords).map(([user, password]) => `${passwordVariableOf(user)}: "${password}"\n`)
    await writeFile(join(home, 'passwords.conf'), secrets.join(''), { mode: 0o600 })
    return join(home, 'nats.conf')
  }
  const start = async (node: number): Promise<void> => {
    const server = await startOwned({
      command: binary,
      args: ['-c', await write(node)],
      env: { ...process.env, POD_NAME: `nats-${node}` },
      stopSignal: 'SIGTERM',
      insistSignal: 'SIGKILL',
      graceMs: 5000,
      log: (line) => void lines.push(`${node} ${line}`),
    })
    nodes[node] = server
    if ((await server.line((line) => line.includes('Server is ready'), 30_000)) === undefined)
      throw new Error(`a node did not start: ${server.lastLines.join('\n')}`)
  }
  await Promise.all(ports.map((_, node) => start(node)))
  return {
    url: (user) => ports.map((port) => `tls://${user}:${passwords[user]}@127.0.0.1:${port}`).join(','),
    ports,
    lines,
    async kill(node) {
      const server = nodes[node]
      if (server === undefined) throw new TypeError(`there is no node ${node}`)
      process.kill(server.pid, 'SIGKILL')
      await server.exited
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(nodes.map((server) => server?.stop()))
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** What is not found would be a test of another file. */
function replaced(text: string, [from, to]: readonly string[]): string {
  if (from === undefined || to === undefined || !text.includes(from)) throw new Error(`deploy/nats/nats.conf has no ${from}`)
  return text.replaceAll(from, to)
}
