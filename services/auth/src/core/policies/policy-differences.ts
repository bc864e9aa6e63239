import { type JsonValue, toJson } from '@bufbuild/protobuf'
import { type Policy, PolicySchema } from '@gatehouse/contracts/gatehouse/auth/v1/policy_pb'

/** One thing that a policy says otherwise than the one before. */
export interface Difference {
  /** Its name in the contract. */
  readonly field: string
  /** The RPC and the index of a limit. */
  readonly limit?: string
  /** Its JSON form; empty where it was, or is, the default. */
  readonly was: string
  readonly is: string
}

/** Field by field, and limit by limit: a list of a hundred would hide the one that matters. */
export function policyDifferences(before: Policy, after: Policy): Difference[] {
  const [was, is] = [partsOf(before), partsOf(after)]
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((name) => {
    const [old = '', now = ''] = [was.get(name), is.get(name)]
    const [field = '', ...limit] = name.split(' ')
    return old === now ? [] : [{ field, ...(limit.length > 0 && { limit: limit.join(' ') }), was: old, is: now }]
  })
}

function partsOf(policy: Policy): Map<string, string> {
  const { limits, ...others } = toJson(PolicySchema, policy, { useProtoFieldName: true }) as Record<string, JsonValue>
  const parts = new Map(Object.entries(others).map(([name, value]) => [name, JSON.stringify(value)]))
  for (const { rpc, index = 0, ...rest } of (limits ?? []) as Record<string, JsonValue>[])
    parts.set(`limits ${rpc} ${index}`, JSON.stringify(rest))
  return parts
}
