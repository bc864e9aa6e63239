import { create } from '@bufbuild/protobuf'
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt'
import { PolicyChangedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { type Policy, PolicySchema } from '@gatehouse/contracts/gatehouse/auth/v1/policy_pb'
import type { UpdatePolicyRequest } from '@gatehouse/contracts/gatehouse/auth/v1/policy_service_pb'
import { ErrorReason as CommonReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { addEvent } from '@gatehouse/events'
import { transact } from '@gatehouse/postgres'
import { commonRefusal, compileRequestCheck, Refusal } from '@gatehouse/rpc'
import { lockPolicy, putPolicy } from '../../store/policies.ts'
import { audit } from '../audit/audit.ts'
import type { Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { declaredPermissions } from '../roles/declared-permissions.ts'
import { checkOverrides } from './limit-bounds.ts'
import { policyDifferences } from './policy-differences.ts'
import { etagOf, setIn, storedForm, type WholePolicy, wholePolicy } from './policy-of.ts'

/** What is given replaces what was set. */
export type PolicyChange = Pick<
  UpdatePolicyRequest,
  'etag' | 'factors' | 'secondFactor' | 'passwordMinLength' | 'sessions' | 'trustedDeviceDays' | 'limits'
>

const problems: string[] = []
const check = compileRequestCheck(PolicySchema, problems)
if (problems.length > 0) throw new TypeError(problems.join('; '))

/** Changes the tenant's policy in one transaction: changes of one tenant pass one after the other. The same again changes nothing. */
export async function updatePolicy(
  deps: Pick<Deps, 'db' | 'lifetimes' | 'now' | 'committed'>,
  { tenant, ...change }: PolicyChange & { tenant: string },
): Promise<WholePolicy> {
  const policy = await transact(deps.db, async (tx) => {
    const before = await lockPolicy(tx, tenant)
    if (change.etag !== '' && change.etag !== etagOf(before)) throw commonRefusal(CommonReason.ETAG_MISMATCH)
    const set = changed(setIn(before), change)
    const differences = policyDifferences(setIn(before), set)
    if (differences.length === 0) return wholePolicy(deps.lifetimes, before)
    checkPolicy(deps, set)
    const changedFields = [...new Set(differences.map(({ field }) => field))]
    if (changedFields.includes('trusted_device_days') && set.trustedDeviceDays === 0) set.trustSinceTime = timestampFromMs(deps.now())
    const version = (before?.version ?? 0) + 1
    const after = await putPolicy(tx, { tenant, version, policy: storedForm(set) })
    const message = create(PolicyChangedSchema, { policyId: tenant, version: BigInt(version), changedFields })
    await addEvent(tx, { schema: PolicyChangedSchema, message, tenant, version })
    const acts = differences.map((details) => ({ tenant, kind: 'policy_change', details: { version: String(version), ...details } }))
    await audit(tx, ...acts)
    return wholePolicy(deps.lifetimes, after)
  })
  deps.committed()
  return policy
}

function changed(set: Policy, change: PolicyChange): Policy {
  const { factors = set.factors, secondFactor = set.secondFactor, sessions = set.sessions } = change
  return create(PolicySchema, {
    ...(factors && { factors }),
    ...(secondFactor && { secondFactor }),
    ...(sessions && { sessions }),
    passwordMinLength: change.passwordMinLength ?? set.passwordMinLength,
    trustedDeviceDays: change.trustedDeviceDays ?? set.trustedDeviceDays,
    limits: change.limits?.overrides ?? set.limits,
    ...(set.trustSinceTime && { trustSinceTime: set.trustSinceTime }),
  })
}

/** The rules are those of the contract. The configuration's lifetimes are the operator's: only those that a tenant sets have to keep them. */
function checkPolicy(deps: Pick<Deps, 'lifetimes'>, set: Policy): void {
  const whole = wholePolicy(deps.lifetimes, undefined)
  const unset = { idle: durationFromMs(600_000), absolute: durationFromMs(600_000) }
  try {
    const { factors = whole.factors, secondFactor = whole.secondFactor, sessions = unset } = set
    check(
      create(PolicySchema, {
        factors,
        secondFactor,
        sessions,
        passwordMinLength: set.passwordMinLength || whole.passwordMinLength,
        trustedDeviceDays: set.trustedDeviceDays,
        limits: set.limits,
      }),
    )
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { violations } = error
    throw refuse(ErrorReason.POLICY_OUT_OF_BOUNDS, { rule: (violations[0]?.reason ?? '').toLowerCase() }, { violations })
  }
  const permission = set.secondFactor?.permission ?? ''
  // Nobody holds what no contract declares: it would protect nobody and look as if it did.
  if (permission !== '' && !declaredPermissions.includes(permission))
    throw refuse(ErrorReason.POLICY_OUT_OF_BOUNDS, { rule: 'permission' }, { field: 'secondFactor.permission' })
  checkOverrides(set.limits)
}
