import type { DescEnum, EnumShape } from '@bufbuild/protobuf'
import { getOption } from '@bufbuild/protobuf'
import { protoCamelCase } from '@bufbuild/protobuf/reflect'
import { Code } from '@connectrpc/connect'
import { ErrorReasonSchema } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { refusal } from '@gatehouse/contracts/gatehouse/options/v1/options_pb'

/** One broken rule of a request. `field` is the JSON path (`user.emailAddress`, `ids[3]`), `reason` the rule in UPPER_SNAKE form (`STRING_MIN_LEN`). */
export interface Violation {
  readonly field: string
  readonly description: string
  readonly reason?: string
}

/** What a refusal may carry beside its reason. */
export interface RefusalExtra {
  /** When to come back; becomes `google.rpc.RetryInfo`. */
  readonly retryAfterSeconds?: number
  /** JSON path of the field that is wrong, where it is not the one that the contract names for the reason. */
  readonly field?: string
  /** Broken rules; become `google.rpc.BadRequest`. */
  readonly violations?: readonly Violation[]
  /** What led here; logged, never sent. */
  readonly cause?: unknown
}

/** An expected error: a reason of the contract, safe to show. The doors turn it into a status with `google.rpc.ErrorInfo`. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  /** Name of the reason without its prefix: `EMAIL_TAKEN`. */
  readonly reason: string
  /** `user.gatehouse`, or `gatehouse` for the reasons that every RPC can answer. */
  readonly domain: string
  readonly code: Code
  readonly metadata: Readonly<Record<string, string>>
  readonly retryAfterSeconds: number | undefined
  readonly violations: readonly Violation[]

  constructor(rule: ReasonRule, metadata: Readonly<Record<string, string>> = {}, extra: RefusalExtra = {}) {
    super(
      rule.message.replace(/\{(\w+)\}/g, (_, name: string) => metadata[name] ?? ''),
      extra.cause === undefined ? undefined : { cause: extra.cause },
    )
    this.reason = rule.reason
    this.domain = rule.domain
    this.code = rule.code
    this.metadata = metadata
    this.retryAfterSeconds = extra.retryAfterSeconds
    const field = extra.field ?? rule.field
    this.violations =
      extra.violations ??
      (rule.code === Code.InvalidArgument && field !== '' ? [{ field, description: this.message, reason: rule.reason }] : [])
  }
}

interface ReasonRule {
  readonly reason: string
  readonly domain: string
  readonly code: Code
  readonly message: string
  /** JSON name of the request field that is wrong; empty where the reason is about none. */
  readonly field: string
}

const PREFIX = 'ERROR_REASON_'

/** `gatehouse.user.v1` -> `user.gatehouse`; `gatehouse.options.v1` -> `gatehouse`. */
function domainOf(reasons: DescEnum): string {
  const service = reasons.file.proto.package.split('.')[1]
  return service === undefined || service === 'options' ? 'gatehouse' : `${service}.gatehouse`
}

function rulesOf(reasons: DescEnum): Map<number, ReasonRule> {
  const domain = domainOf(reasons)
  const rules = new Map<number, ReasonRule>()
  for (const value of reasons.values) {
    const { code, message, field } = getOption(value, refusal)
    if (value.number !== 0)
      rules.set(value.number, {
        reason: value.name.slice(PREFIX.length),
        domain,
        code: code as Code,
        message,
        field: protoCamelCase(field),
      })
  }
  return rules
}

/** Names of the reasons of an ErrorReason enum, without their prefix. */
export function reasonNames(reasons: DescEnum): ReadonlySet<string> {
  return new Set(reasons.values.filter((value) => value.number !== 0).map((value) => value.name.slice(PREFIX.length)))
}

/** Makes the function with which a service refuses: `export const refuse = refusals(ErrorReasonSchema)`, then `throw refuse(ErrorReason.EMAIL_TAKEN)`. */
export function refusals<Reasons extends DescEnum>(
  reasons: Reasons,
): (reason: EnumShape<Reasons>, metadata?: Readonly<Record<string, string>>, extra?: RefusalExtra) => Refusal {
  const rules = rulesOf(reasons)
  return (reason, metadata, extra) => {
    const rule = rules.get(reason)
    if (rule === undefined) throw new TypeError(`${reasons.typeName} has no value ${reason}`)
    return new Refusal(rule, metadata, extra)
  }
}

/** Refuses with one of the reasons that every RPC can answer. */
export const commonRefusal = refusals(ErrorReasonSchema)
