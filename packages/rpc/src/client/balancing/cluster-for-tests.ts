import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createClient } from '@connectrpc/connect'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { peerTransport } from '../peer-transport.ts'

/** The port of every replica. */
export const grpcPort = 9000

const program = fileURLToPath(new URL('./replica-for-tests.ts', import.meta.url))

/** A process of its own, which does not outlive `owner`. */
export async function startReplica(address: string, owner: DisposableStack): Promise<ChildProcess> {
  const replica = fork(program, [address, String(grpcPort)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  owner.defer(() => void replica.kill('SIGKILL'))
  await once(replica, 'message')
  return replica
}

export interface Call {
  readonly began: number
  /** Who answered; nobody, where it failed. */
  readonly by: string | undefined
}

/** A client that signs people in at an even rate through one channel: a call that nothing repeats. */
export class Caller implements AsyncDisposable {
  readonly calls: Call[] = []
  readonly #transport
  readonly #timer: NodeJS.Timeout
  readonly #under = new Set<Promise<void>>()

  constructor(name: string, { everyMs = 5, timeoutMs = 1000 } = {}) {
    this.#transport = peerTransport({ target: 'auth', url: `dns:///${name}:${grpcPort}` })
    const sessions = createClient(SessionService, this.#transport)
    this.#timer = setInterval(() => {
      const began = performance.now()
      const call = sessions
        .signIn({ email: 'ada@example.com', password: 'x' }, { timeoutMs })
        .then(
          ({ result }) => (result.case === 'signedIn' ? result.value.accessToken : undefined),
          () => undefined,
        )
        .then((by) => {
          this.calls.push({ began, by })
          this.#under.delete(call)
        })
      this.#under.add(call)
    }, everyMs)
  }

  /** How many of the calls from `from` to `to` each replica answered; those that nobody answered under no name. */
  shares(from: number, to = Number.POSITIVE_INFINITY): Record<string, number> {
    const within = this.calls.filter(({ began }) => began >= from && began < to)
    const byReplica = Map.groupBy(within, ({ by }) => by ?? '')
    return Object.fromEntries([...byReplica].map(([by, calls]) => [by, calls.length]))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#under)
    await this.#transport[Symbol.asyncDispose]()
  }
}
