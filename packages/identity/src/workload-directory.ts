import type { WorkloadRegistry } from './access.ts'
import { pause } from './pause.ts'

/** A workload of another team; the shape of `gatehouse.auth.v1.Workload`. */
export interface RegisteredWorkload {
  readonly name: string
  readonly issuer: string
  readonly subject: string
  readonly audience: string
  /** Full names of RPCs, or of services for all of theirs that are open to registered workloads. */
  readonly calls: readonly string[]
}

/** What auth tells of its registry; the shape of `ReadRegistryResponse`. */
export interface RegistryAnswer {
  readonly version: string
  readonly unchanged: boolean
  readonly workloads: readonly RegisteredWorkload[]
}

/** The `iss` of the tokens that are made of key files. */
export const keyFileIssuer = 'gatehouse-workload'

/** The registry of workloads, as far as it was told. What was told stays while auth is away. */
export interface WorkloadDirectory extends WorkloadRegistry, AsyncDisposable {
  /** Who is registered with this issuer and subject. */
  find(issuer: string, subject: string): RegisteredWorkload | undefined
  /** Whether a token of this issuer may prove the name. A registered name is proven by the issuer that it was registered with alone; one that is not registered, by every issuer that is trusted here. */
  mayProve(name: string, issuer: string): boolean
  /** Settles with the first answer, or after two seconds. */
  readonly ready: Promise<void>
}

/** Options of {@link followWorkloads}. */
export interface FollowWorkloadsOptions {
  /** Whether a workload that proved its name and is not registered counts as registered for everything: as it was before there was a registry. */
  readonly unregistered: 'allow' | 'refuse'
  /** Milliseconds between two looks; 1 s unless given. */
  readonly intervalMs?: number
  /** Told when looking begins to fail and when it works again. */
  readonly onChange?: (error: unknown) => void
  /** Told once of each workload that is let in though it is not registered. */
  readonly onUnregistered?: (workload: string) => void
}

const unimplemented = 12

/** Keeps the registry by asking for it again and again, with the version that is known: the answer is empty while nothing changed. */
export function followWorkloads(
  load: (version: string, signal: AbortSignal) => Promise<RegistryAnswer>,
  { unregistered, intervalMs = 1_000, onChange, onUnregistered }: FollowWorkloadsOptions,
): WorkloadDirectory {
  const stop = new AbortController()
  const { promise: ready, resolve: beReady } = Promise.withResolvers<void>()
  const patience = setTimeout(beReady, 2_000).unref()
  let version = ''
  let known = false
  let older = false
  let failing = false
  let byName = new Map<string, RegisteredWorkload & { readonly may: ReadonlySet<string> }>()
  let bySubject = new Map<string, RegisteredWorkload>()
  const told = new Set<string>()

  async function look(): Promise<void> {
    try {
      const answer = await load(version, stop.signal)
      if (!answer.unchanged) {
        byName = new Map(answer.workloads.map((each) => [each.name, { ...each, may: new Set(each.calls) }]))
        bySubject = new Map(answer.workloads.map((each) => [placeOf(each.issuer, each.subject), each]))
        version = answer.version
      }
      known = true
      older = false
      if (failing) onChange?.(undefined)
      failing = false
      beReady()
    } catch (error) {
      if (stop.signal.aborted) return
      // An auth of the release before, during a rollout, has no registry: as it was with it, so it is.
      older = !known && (error as { code?: number }).code === unimplemented
      if (older) beReady()
      if (!failing) onChange?.(error)
      failing = true
    }
  }

  const run = (async () => {
    while (!stop.signal.aborted) {
      await look()
      await pause(known ? intervalMs * (0.9 + Math.random() * 0.2) : 250, stop.signal)
    }
  })()

  return {
    ready,
    find: (issuer, subject) => bySubject.get(placeOf(issuer, subject)),
    mayProve: (name, issuer) => (byName.get(name)?.issuer ?? issuer) === issuer,
    mayCall(workload, rpc) {
      const registered = byName.get(workload)
      if (registered) return registered.may.has(rpc) || registered.may.has(rpc.slice(0, rpc.lastIndexOf('/')))
      if (unregistered === 'refuse' && !older) return known ? false : undefined
      if (known && !told.has(workload)) {
        told.add(workload)
        onUnregistered?.(workload)
      }
      return true
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      clearTimeout(patience)
      beReady()
      await run
    },
  }
}

const placeOf = (issuer: string, subject: string): string => `${issuer} ${subject}`
