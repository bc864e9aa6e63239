import { clone, create, fromJson, type JsonObject, toJson } from '@bufbuild/protobuf'
import { durationFromMs, timestampFromDate } from '@bufbuild/protobuf/wkt'
import {
  type AllowedFactors,
  type Policy,
  PolicySchema,
  type SecondFactor,
  SecondFactor_RequiredFor,
  type SessionLifetimes,
} from '@gatehouse/contracts/gatehouse/auth/v1/policy_pb'
import type { PolicyRow } from '../../store/policies.ts'
import type { Deps, Lifetimes } from '../deps.ts'

/** A policy in which everything is set. */
export interface WholePolicy extends Policy {
  factors: AllowedFactors
  secondFactor: SecondFactor
  sessions: SessionLifetimes
}

/** What a tenant asks for now: read with what is decided by it, and never remembered. */
export async function policyOf(deps: Pick<Deps, 'batches' | 'lifetimes'>, tenant: string): Promise<WholePolicy> {
  const row = await deps.batches.policy({ tenant })
  const unset = defaults.get(deps.lifetimes) ?? wholePolicy(deps.lifetimes, undefined)
  defaults.set(deps.lifetimes, unset)
  return row ? read(deps.lifetimes, row) : unset
}

const defaults = new WeakMap<Lifetimes, WholePolicy>()
const readable = new Map<string, { readonly lifetimes: Lifetimes; readonly policy: WholePolicy }>()
const mostReadable = 1_000

/** What a version says needs no second reading of its JSON; which version it is, the database has just told. */
function read(lifetimes: Lifetimes, row: PolicyRow): WholePolicy {
  const key = `${row.tenant} ${row.version} ${row.update_time.getTime()}`
  const known = readable.get(key)
  if (known?.lifetimes === lifetimes) return known.policy
  const policy = wholePolicy(lifetimes, row)
  readable.set(key, { lifetimes, policy })
  const [oldest] = readable.size > mostReadable ? readable.keys() : []
  if (oldest !== undefined) readable.delete(oldest)
  return policy
}

/** What a tenant set, over the defaults. */
export function wholePolicy(lifetimes: Lifetimes, row: PolicyRow | undefined): WholePolicy {
  const set = setIn(row)
  return create(PolicySchema, {
    etag: etagOf(row),
    ...(row && { updateTime: timestampFromDate(row.update_time) }),
    factors: set.factors ?? { password: true, passkey: true, totp: true, recoveryCode: true, email: true },
    secondFactor: set.secondFactor ?? { requiredFor: SecondFactor_RequiredFor.NOBODY },
    passwordMinLength: set.passwordMinLength || passwordMinLength,
    sessions: set.sessions ?? {
      idle: durationFromMs(lifetimes.sessionIdleSeconds * 1000),
      absolute: durationFromMs(lifetimes.sessionAbsoluteSeconds * 1000),
    },
    trustedDeviceDays: set.trustedDeviceDays,
    ...(set.trustSinceTime && { trustSinceTime: set.trustSinceTime }),
    limits: set.limits,
  }) as WholePolicy
}

/** NIST SP 800-63B-4, 3.1.1.1, for a password that may be the only factor. */
export const passwordMinLength = 15

/** What a tenant set itself; the rest follows the defaults, also when they change. */
export function setIn(row: PolicyRow | undefined): Policy {
  // A newer release may have set what this one does not know.
  return row ? fromJson(PolicySchema, row.policy as JsonObject, { ignoreUnknownFields: true }) : create(PolicySchema)
}

/** The form in which it is stored. */
export function storedForm(set: Policy): string {
  const bare = clone(PolicySchema, set)
  bare.etag = ''
  delete bare.updateTime
  return JSON.stringify(toJson(PolicySchema, bare))
}

/** Names a version; the one before the first is a version too. */
export function etagOf(row: Pick<PolicyRow, 'version'> | undefined): string {
  return `v${(row?.version ?? 0).toString(36)}`
}
