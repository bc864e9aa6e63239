import { type DescField, type DescMethod, getOption, type Message } from '@bufbuild/protobuf'
import { field as fieldRules } from '@gatehouse/contracts/buf/validate/validate_pb'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { type Limit, Limit_By, limits } from '@gatehouse/contracts/gatehouse/options/v1/options_pb'
import type { CallContext } from './call-context.ts'
import { isEmailField } from './canonical.ts'
import { emailKey } from './email.ts'
import type { LimitOverrides } from './limit-overrides.ts'
import type { LimitCharge, LimitStore } from './limit-store.ts'
import { commonRefusal } from './refusal.ts'
import { compileStringField } from './request-field.ts'
import { sourceNetwork } from './source-network.ts'

/** Counts a call against every limit of its method; refuses, or sets `withheld` where the exhausted limit is silent. */
export type LimitGate = (context: CallContext, request: Message) => Promise<void>

/**
 * Reads from the contract which counters count calls of `method` by the value of `field`; answers their keys for a value, for a store's `reset`: whoever
 * proved to be the rightful owner of the value need not wait for the window's end: `limits.reset(key, tenant)`. `field` is the path that the contract's
 * limit names.
 */
export function compileFieldLimitKeys(method: DescMethod, field: string): (value: string) => string[] {
  const reader = compileStringField(method.input, field)
  if (reader === undefined) throw new TypeError(`${method.input.typeName} has no string field ${field}`)
  const counted = countedForm(reader.field)
  const names = getOption(method, limits).flatMap((limit, index) =>
    limit.by === Limit_By.FIELD && limit.field === field ? [nameOf(method, index)] : [],
  )
  return (value) => names.map((name) => `${name}:${counted(value)}`)
}

/** Counts a call against the limit of the API key that it came with. Apart from the method's own limits: whoever exhausted the key's is counted by none of those. */
export async function countApiKey(context: CallContext, store: LimitStore): Promise<void> {
  const { person } = context.caller
  const { id, limit } = person?.apiKey ?? {}
  if (person === undefined || limit === undefined) return
  const answer = await store.take([{ key: `api-key:${id}`, tenant: person.tenant, ...limit }])
  if (!answer.allowed) throw commonRefusal(ErrorReason.LIMIT_EXCEEDED, {}, { retryAfterSeconds: answer.retryAfterSeconds })
}

/** What values of a field are counted as, so that every spelling of one thing is one thing: ids are found in either letter case. */
function countedForm(field: DescField): (value: string) => string {
  if (isEmailField(field)) return emailKey
  const { type } = getOption(field, fieldRules)
  const isId = type.case === 'string' && type.value.wellKnown.case === 'uuid'
  return isId ? (value) => value.toLowerCase() : (value) => value
}

function nameOf(method: DescMethod, index: number): string {
  return `${method.parent.typeName}/${method.name}#${index}`
}

interface CompiledLimit {
  readonly silent: boolean
  /** `undefined` where the call has nothing that this limit counts by. */
  charge(context: CallContext, request: Message): LimitCharge | undefined
}

/** Compiles the `limits` options of a method; `undefined` where there are none. */
export function compileLimits(
  method: DescMethod,
  store: LimitStore,
  problems: string[],
  overrides?: LimitOverrides,
): LimitGate | undefined {
  // An exhausted limit that refuses must win over one that is silent, and the store answers with the first exhausted one.
  const compiled = getOption(method, limits)
    .map((limit, index) => compileLimit(method, limit, index, problems, overrides))
    .filter((limit) => limit !== undefined)
    .sort((a, b) => Number(a.silent) - Number(b.silent))
  if (compiled.length === 0) return undefined
  return async (context, request) => {
    const charges: LimitCharge[] = []
    const silent: boolean[] = []
    for (const limit of compiled) {
      const charge = limit.charge(context, request)
      if (charge === undefined) continue
      charges.push(charge)
      silent.push(limit.silent)
    }
    if (charges.length === 0) return
    const answer = await store.take(charges)
    if (answer.allowed) return
    if (silent[answer.index] === true) context.withheld = true
    else throw commonRefusal(ErrorReason.LIMIT_EXCEEDED, {}, { retryAfterSeconds: answer.retryAfterSeconds })
  }
}

function compileLimit(
  method: DescMethod,
  limit: Limit,
  index: number,
  problems: string[],
  overrides: LimitOverrides | undefined,
): CompiledLimit | undefined {
  const { count, silent } = limit
  const windowSeconds = Number(limit.window?.seconds ?? 0n)
  if (count < 1 || windowSeconds < 1) problems.push(`limits[${index}] needs a count and a window of at least a second`)
  const name = nameOf(method, index)
  const make = ({ knownTenant }: CallContext, by: string, tenant = ''): LimitCharge => {
    const set = knownTenant === undefined ? undefined : overrides?.of(knownTenant, name)
    // Whatever was told, the contract is the bound: the release that tightened it may be younger than the policy.
    const within = set && { count: Math.min(set.count, count), windowSeconds: Math.max(set.windowSeconds, windowSeconds) }
    return { key: `${name}:${by}`, tenant, count, windowSeconds, ...within }
  }

  switch (limit.by) {
    case Limit_By.SOURCE:
      return {
        silent,
        charge: (context) => make(context, sourceNetwork(context.source)),
      }
    case Limit_By.CALLER:
      return {
        silent,
        charge(context) {
          const { person, workload } = context.caller
          if (person !== undefined) return make(context, person.id, person.tenant)
          return workload === undefined ? undefined : make(context, `workload:${workload}`)
        },
      }
    case Limit_By.FIELD: {
      const field = compileStringField(method.input, limit.field)
      if (field === undefined) {
        problems.push(`limits[${index}].field names ${limit.field}, which is no string field of ${method.input.typeName}`)
        return undefined
      }
      const keyOf = countedForm(field.field)
      return {
        silent,
        charge(context, request) {
          const value = field.read(request)
          return value === '' ? undefined : make(context, keyOf(value), context.tenant)
        },
      }
    }
    default:
      problems.push(`limits[${index}] says not what it counts by`)
      return undefined
  }
}
