import { type DescMethod, getOption, isFieldSet } from '@bufbuild/protobuf'
import { MethodOptionsSchema } from '@bufbuild/protobuf/wkt'
import { ErrorReasonSchema as AuthReasons } from '@gatehouse/contracts/gatehouse/auth/v1/error_reason_pb'
import { ErrorReasonSchema as NotificationReasons } from '@gatehouse/contracts/gatehouse/notification/v1/error_reason_pb'
import { ErrorReasonSchema as CommonReasons } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { reasons } from '@gatehouse/contracts/gatehouse/options/v1/options_pb'
import { ErrorReasonSchema as UserReasons } from '@gatehouse/contracts/gatehouse/user/v1/error_reason_pb'
import { type AccessRule, compileAccess } from '@gatehouse/identity'
import type { LimitOverrides } from './limit-overrides.ts'
import type { LimitStore } from './limit-store.ts'
import { compileLimits, type LimitGate } from './limits.ts'
import { reasonNames } from './refusal.ts'
import { compileRequestCheck, type RequestCheck } from './validation.ts'

/** What the contract says about one RPC, ready to be obeyed. */
export interface CompiledMethod {
  readonly desc: DescMethod
  readonly access: AccessRule
  /** Reasons beside the common ones that the RPC may answer. */
  readonly declared: ReadonlySet<string>
  readonly check: RequestCheck
  readonly limits: LimitGate | undefined
}

const reasonsOfPackage = new Map(
  [AuthReasons, NotificationReasons, UserReasons].map((schema) => [schema.file.proto.package, reasonNames(schema)]),
)
const commonReasons = reasonNames(CommonReasons)

/** Compiles the options of an RPC; one of somebody else's contract has none, and the access of `accessOf`. Everything that is missing or wrong becomes a sentence in `problems`, and there is no method then. */
export function compileMethod(
  desc: DescMethod,
  limitStore: LimitStore,
  problems: string[],
  { overrides, accessOf = desc }: { readonly overrides?: LimitOverrides | undefined; readonly accessOf?: DescMethod | undefined } = {},
): CompiledMethod | undefined {
  const own: string[] = []
  const { options } = desc.proto
  const isForeign = accessOf !== desc
  if (!isForeign && (options === undefined || !isFieldSet(options, MethodOptionsSchema.field.idempotencyLevel)))
    own.push('declares no idempotency_level')
  if (desc.methodKind === 'client_streaming' || desc.methodKind === 'bidi_streaming') own.push('streams requests, which no door serves')

  const declared = new Set(getOption(desc, reasons))
  const known = reasonsOfPackage.get(desc.parent.file.proto.package)
  for (const reason of declared) {
    if (commonReasons.has(reason)) continue
    if (known?.has(reason) !== true) own.push(`declares the reason ${reason}, which the ErrorReason of its package does not have`)
  }

  const check = compileRequestCheck(desc.input, own)
  const limits = compileLimits(desc, limitStore, own, overrides)
  let access: AccessRule | undefined
  try {
    access = compileAccess(accessOf)
  } catch (error) {
    own.push(error instanceof Error ? error.message : String(error))
  }
  problems.push(...own.map((problem) => `${desc.parent.typeName}/${desc.name}: ${problem}`))
  return access === undefined || own.length > 0 ? undefined : { desc, access, declared, check, limits }
}
