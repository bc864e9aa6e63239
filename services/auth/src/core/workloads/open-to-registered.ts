import { type DescMethod, getOption, hasOption } from '@bufbuild/protobuf'
import { access } from '@gatehouse/contracts/gatehouse/options/v1/options_pb'
import { declaredServices } from '../roles/declared-permissions.ts'

/** Every RPC of the contracts that is open to registered workloads, by its full name, and the permission that opens it to people; empty where none does. */
const openToRegistered: ReadonlyMap<string, string> = new Map(
  declaredServices.flatMap((service) =>
    service.methods.filter(isOpen).map((method) => [`${service.typeName}/${method.name}`, getOption(method, access).permission] as const),
  ),
)

/**
 * The permissions that are as much as this call: of such an RPC, or of all of a service's. Undefined where it is neither, so that nobody can be
 * registered for it.
 */
export function permissionsBehind(call: string): readonly string[] | undefined {
  const rpcs = [...openToRegistered].filter(([rpc]) => rpc === call || rpc.startsWith(`${call}/`))
  return rpcs.length === 0 ? undefined : rpcs.map(([, permission]) => permission).filter((permission) => permission !== '')
}

function isOpen(method: DescMethod): boolean {
  return hasOption(method, access) && getOption(method, access).workloads.includes('registered')
}
