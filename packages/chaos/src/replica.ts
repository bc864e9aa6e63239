import { type ServiceName, startServiceProcess } from '@gatehouse/local'
import { type Frozen, freeze, type OwnedProcess, type ProcessEnd } from '@gatehouse/testkit'

/** Ports that a replica has taken. */
export interface ReplicaPorts {
  readonly grpc: number
  readonly web: number
  readonly metrics: number
}

export interface ReplicaOptions {
  readonly service: ServiceName
  readonly index: number
  readonly folder: string
  /** The variables, asked for at each start. */
  readonly environment: () => Record<string, string>
  /** Told of everything that is done to it. */
  readonly onFault: (fault: string) => void
  /** Told when it ended and nobody had asked it to. */
  readonly onTrouble: (sentence: string) => void
}

// A machine that does much else starts a service in seconds all the same; one that swaps does not.
const readyMs = 150_000

/** One process of a service, through all its lives. Its ports are free ones, new with each life: whoever calls it does so through a link that asks for them. */
export class Replica implements AsyncDisposable {
  readonly service: ServiceName
  readonly name: string
  /** The checkout whose code runs from the next start on; the own one unless it is set. */
  tree: string | undefined
  /** Variables of this one alone, from the next start on. */
  extra: Readonly<Record<string, string>> = {}
  readonly #options: ReplicaOptions
  #child: OwnedProcess | undefined
  #ports: ReplicaPorts | undefined
  #frozen: Frozen | undefined
  #leaving = false

  constructor(options: ReplicaOptions) {
    this.service = options.service
    this.name = `${options.service}.${options.index}`
    this.#options = options
  }

  /** Where it listens; undefined while it is not ready. */
  get ports(): ReplicaPorts | undefined {
    return this.#ports
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  get isUp(): boolean {
    return this.#child !== undefined
  }

  get isFrozen(): boolean {
    return this.#frozen !== undefined
  }

  /** Whether a balancer would send new connections there: it is ready, and nobody has asked it to leave. */
  get takesNew(): boolean {
    return this.#ports !== undefined && !this.#leaving
  }

  /** Settles when it is ready, or was killed meanwhile. Rejects when it ends by itself. */
  async start(): Promise<void> {
    if (this.#child) throw new TypeError(`${this.name} runs already`)
    const { service, folder, environment, onTrouble } = this.#options
    const child = await startServiceProcess(service, { ...environment(), ...this.extra }, folder, {
      log: this.name,
      ...(this.tree && { tree: this.tree }),
    })
    this.#child = child
    this.#leaving = false
    void child.exited.then((end) => {
      if (this.#child !== child) return
      this.#gone()
      if (!end.expected) onTrouble(`${this.name} ended by itself (${end.signal ?? `exit code ${end.code}`}): ${end.lastLines.join('\n')}`)
    })
    const line = await child.line((said) => said.includes('"ready"'), readyMs)
    if (line !== undefined) {
      if (this.#child === child) this.#ports = (JSON.parse(line) as { ports: ReplicaPorts }).ports
    } else if (this.#child === child) throw new Error(`${this.name} is not ready after ${readyMs / 1000} s: ${child.lastLines.join('\n')}`)
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    const child = this.#child
    if (!child) return
    this.#options.onFault(`kill -9 ${this.name}`)
    const frozen = this.#frozen
    this.#gone()
    process.kill(child.pid, 'SIGKILL')
    await frozen?.thaw()
    await child.exited
  }

  /** SIGTERM, after the balancers know; settles when it has drained and ended. */
  async term(): Promise<ProcessEnd | undefined> {
    const child = this.#child
    if (!child) return undefined
    this.#options.onFault(`SIGTERM ${this.name}`)
    await this.thaw()
    this.#leaving = true
    const end = await child.stop()
    if (this.#child === child) this.#gone()
    return end
  }

  /** SIGSTOP: it keeps its connections and says nothing. */
  async freeze(): Promise<void> {
    if (!this.#child || this.#frozen) return
    this.#options.onFault(`freeze ${this.name}`)
    this.#frozen = await freeze(this.#child.pid)
  }

  async thaw(): Promise<void> {
    const frozen = this.#frozen
    this.#frozen = undefined
    await frozen?.thaw()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child
    await this.thaw()
    this.#gone()
    await child?.stop()
  }

  #gone(): void {
    this.#child = undefined
    this.#ports = undefined
    this.#frozen = undefined
  }
}
