import { type DescMessage, type DescMethod, getOption } from '@bufbuild/protobuf'
import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt'
import { access, Sensitivity, sensitivity } from '@gatehouse/contracts/gatehouse/options/v1/options_pb'
import { administratorRole } from '@gatehouse/identity'
import { declaredMethods, declaredPermissions } from './declared-permissions.ts'

/** Reads that yield no secret. */
export const supportRole = 'support'
/** What every signed-in person may do anyway: the contracts' `signed_in` and `own`. */
export const memberRole = 'member'

/** Permissions that nothing but reads ask for, none of which answers with a secret or is asked with one: whoever looks into somebody's token is a program. */
export const supportPermissions: readonly string[] = declaredPermissions.filter((permission) =>
  declaredMethods.filter((method) => getOption(method, access).permission === permission).every(isHarmlessRead),
)

export interface BuiltInRole {
  readonly name: string
  readonly description: string
  readonly permissions: readonly string[]
}

/** The roles that are part of the product, in the order in which they are listed. */
export const builtInRoles: readonly BuiltInRole[] = [
  { name: administratorRole, description: 'Everything that the contracts declare.', permissions: declaredPermissions },
  { name: supportRole, description: 'Reads that yield no secret.', permissions: supportPermissions },
  { name: memberRole, description: 'What every signed-in person may do anyway.', permissions: [] },
]

export function builtInRole(name: string): BuiltInRole | undefined {
  return builtInRoles.find((role) => role.name === name)
}

function isHarmlessRead(method: DescMethod): boolean {
  return (
    method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS &&
    ![method.input, method.output].some((each) => hasSecret(each, new Set()))
  )
}

function hasSecret(message: DescMessage, seen: Set<DescMessage>): boolean {
  if (seen.has(message)) return false
  seen.add(message)
  return message.fields.some(
    (field) => getOption(field, sensitivity) === Sensitivity.SECRET || (field.message !== undefined && hasSecret(field.message, seen)),
  )
}
