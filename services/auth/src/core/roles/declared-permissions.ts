import { type DescMethod, type DescService, getOption, hasOption } from '@bufbuild/protobuf'
import { services } from '@gatehouse/contracts/files'
import { access } from '@gatehouse/contracts/gatehouse/options/v1/options_pb'

/** Every RPC of the contracts that asks for a permission. */
export const declaredMethods: readonly DescMethod[] = services
  .flatMap(({ methods }) => methods)
  .filter((method) => hasOption(method, access) && getOption(method, access).permission !== '')

/** The services of the contracts that somebody can be let in to. */
export const declaredServices: readonly DescService[] = services

/** Every permission that some RPC of the contracts asks for, sorted. */
export const declaredPermissions: readonly string[] = [
  ...new Set(declaredMethods.map((method) => getOption(method, access).permission)),
].sort()
