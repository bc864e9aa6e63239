import { getOption } from '@bufbuild/protobuf'
import type { LimitOverride } from '@gatehouse/contracts/gatehouse/auth/v1/policy_pb'
import { type Limit, limits } from '@gatehouse/contracts/gatehouse/options/v1/options_pb'
import { ErrorReason, refuse } from '../refuse.ts'
import { declaredServices } from '../roles/declared-permissions.ts'

const declared = new Map<string, readonly Limit[]>(
  declaredServices.flatMap((service) =>
    service.methods.map((method) => [`${service.typeName}/${method.name}`, getOption(method, limits)] as const),
  ),
)

/** Refuses limits that no RPC declares, or that would let more calls pass than it does. */
export function checkOverrides(overrides: readonly LimitOverride[]): void {
  const seen = new Set<string>()
  for (const [at, { rpc, index, count, window }] of overrides.entries()) {
    const bound = declared.get(rpc)?.[index]
    const field = (name: string) => ({ field: `limits.overrides[${at}].${name}` })
    if (bound === undefined) throw refuse(ErrorReason.POLICY_OUT_OF_BOUNDS, { rule: 'limit_unknown' }, field('rpc'))
    if (seen.has(`${rpc}#${index}`)) throw refuse(ErrorReason.POLICY_OUT_OF_BOUNDS, { rule: 'limit_twice' }, field('index'))
    seen.add(`${rpc}#${index}`)
    if (count > bound.count) throw refuse(ErrorReason.POLICY_OUT_OF_BOUNDS, { rule: 'limit_count' }, field('count'))
    const isWhole = window !== undefined && window.nanos === 0
    if (!isWhole || window.seconds < (bound.window?.seconds ?? 0n))
      throw refuse(ErrorReason.POLICY_OUT_OF_BOUNDS, { rule: 'limit_window' }, field('window'))
  }
}
