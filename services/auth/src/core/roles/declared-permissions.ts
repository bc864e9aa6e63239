import { type DescService, getOption, hasOption } from '@bufbuild/protobuf'
import { services } from '@gatehouse/contracts/files'
import { access } from '@gatehouse/contracts/gatehouse/options/v1/options_pb'

/** Every permission that some RPC of the contracts asks for, sorted. */
export const declaredPermissions: readonly string[] = [...new Set(services.flatMap(permissionsOf))].sort()

function permissionsOf(service: DescService): string[] {
  return service.methods.flatMap((method) => {
    const permission = hasOption(method, access) ? getOption(method, access).permission : ''
    return permission === '' ? [] : [permission]
  })
}
