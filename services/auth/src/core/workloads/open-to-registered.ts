import { type DescMethod, getOption, hasOption } from '@bufbuild/protobuf'
import { access } from '@gatehouse/contracts/gatehouse/options/v1/options_pb'
import { declaredServices } from '../roles/declared-permissions.ts'

/** Every RPC of the contracts that is open to registered workloads, by its full name. */
export const openToRegistered: ReadonlySet<string> = new Set(
  declaredServices.flatMap((service) => service.methods.filter(isOpen).map(({ name }) => `${service.typeName}/${name}`)),
)

/** Whether somebody can be registered for this: such an RPC, or a service that has one. */
export function isRegistrable(call: string): boolean {
  return openToRegistered.has(call) || [...openToRegistered].some((rpc) => rpc.startsWith(`${call}/`))
}

function isOpen(method: DescMethod): boolean {
  return hasOption(method, access) && getOption(method, access).workloads.includes('registered')
}
