import type { DescMethod, DescService } from '@bufbuild/protobuf'
import type { ServiceImpl } from '@connectrpc/connect'
import type { AccessDecider, WorkloadRegistry } from '@gatehouse/identity'
import type { Meter } from '@opentelemetry/api'
import type { ErrorOptions } from './answer-error.ts'
import type { Call } from './call.ts'
import { compileMethod } from './compile-method.ts'
import type { CredentialOptions } from './credentials.ts'
import { guardMethod, type Handler } from './guard-method.ts'
import type { GuardedMethod } from './guarded-method.ts'
import type { CallBounds } from './inbound.ts'
import type { LimitOverrides } from './limit-overrides.ts'
import type { LimitStore } from './limit-store.ts'
import { createCallMeters } from './meters.ts'
import type { Refusal } from './refusal.ts'
import type { Tracing } from './span.ts'
import { StreamsOfPeople } from './streams-of-people.ts'

export type { GuardedMethod } from './guarded-method.ts'
export type { Cookies, Inbound } from './inbound.ts'

/** What every call passes through is made of. */
export interface PipelineOptions extends CredentialOptions, ErrorOptions, Tracing {
  /** Name of the service: `user`. */
  readonly service: string
  readonly limits: LimitStore
  /** Knows who holds which permission; the claims of tokens alone decide unless it is given. */
  readonly access?: AccessDecider
  /** What other teams' workloads may call; without it each that proved its name may call whatever is open to registered ones. */
  readonly registry?: WorkloadRegistry
  /** Limits that tenants set, within what the contract declares. */
  readonly limitOverrides?: LimitOverrides
  /** Runs what a call does, its limits included, so that what it reads and writes is given up when nobody waits any more. */
  readonly within?: <T>(bounds: CallBounds, act: () => T) => T
  /**
   * Told of every call that is refused, before the caller is: what it answers is awaited, and what it throws is answered instead. For whoever has to
   * write refusals down.
   */
  readonly refused?: (call: Call, method: DescMethod, refusal: Refusal) => Promise<void> | undefined
  /** Age, give or take a tenth, at which a stream ends well and its caller comes again from its cursor; default five minutes. */
  readonly maxStreamSeconds?: number
  /** How long the caller of a stream may leave an answer untaken, before the stream is cut with `SLOW_READER`; default 30. */
  readonly slowReaderSeconds?: number
  /** Streams that one person holds open at once at this replica; default 50. */
  readonly maxStreamsOfPerson?: number
  /** Where metrics go; the global meter where it is not given. */
  readonly meter?: Meter
}

/** Puts services behind the checks that their contract declares. */
export interface Pipeline {
  /**
   * The methods of `service` by name (`GetUser`). An RPC of somebody else's contract declares no access: by its name `accessOf` gives the RPC of ours that it is as much as, whose callers may
   * call it, and for which workloads are registered.
   * @throws ContractError listing everything that the contract leaves open, or that `impl` lacks.
   */
  guard<Service extends DescService>(
    service: Service,
    impl: Partial<ServiceImpl<Service>>,
    accessOf?: Readonly<Record<string, DescMethod>>,
  ): Map<string, GuardedMethod>
}

/** A server cannot start: an RPC says nothing about who may call it, names what does not exist, or has no implementation. */
export class ContractError extends Error {
  override readonly name = 'ContractError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`The contract is not complete:\n${problems.map((problem) => `- ${problem}`).join('\n')}`)
    this.problems = problems
  }
}

/** Makes the pipeline of a service; both doors serve what it guards. */
export function createPipeline(options: PipelineOptions): Pipeline {
  const meterOf = createCallMeters(options.meter)
  const streams = new StreamsOfPeople(options.maxStreamsOfPerson ?? 50)
  return {
    guard(service, impl, accessOf = {}) {
      const problems: string[] = []
      const guarded = new Map<string, GuardedMethod>()
      const functions: Readonly<Record<string, unknown>> = impl
      for (const desc of service.methods) {
        const method = compileMethod(desc, options.limits, problems, {
          overrides: options.limitOverrides,
          accessOf: accessOf[desc.name],
        })
        const handler = functions[desc.localName]
        if (typeof handler !== 'function') problems.push(`${service.typeName}/${desc.name}: has no implementation`)
        else if (method !== undefined)
          guarded.set(desc.name, guardMethod(method, handler.bind(impl) as Handler, options, { meter: meterOf(desc), streams }))
      }
      if (problems.length > 0) throw new ContractError(problems)
      return guarded
    },
  }
}
