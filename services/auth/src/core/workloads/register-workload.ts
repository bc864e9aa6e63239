import { ErrorReason as CommonReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { transact } from '@gatehouse/postgres'
import { commonRefusal } from '@gatehouse/rpc'
import { deleteWorkload, nextRegistryVersion, putWorkload, type WorkloadInput, type WorkloadRow } from '../../store/workloads.ts'
import { checkScopes, type Giver } from '../api-keys/check-scopes.ts'
import { audit } from '../audit/audit.ts'
import type { Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { defaultTenant } from '../tenants/create-tenant.ts'
import { permissionsBehind } from './open-to-registered.ts'

/** A workload acts for every tenant: an administrator of one must not let it in. */
export function onlyByDefaultTenant(tenant: string): void {
  if (tenant !== defaultTenant) throw commonRefusal(CommonReason.WRONG_TENANT)
}

/** Registers a workload, or changes what is registered under its name. Nobody gives what they do not hold. */
export async function registerWorkload(
  deps: Pick<Deps, 'db' | 'now' | 'batches'>,
  giver: Giver,
  input: WorkloadInput,
): Promise<WorkloadRow> {
  const given = new Set<string>()
  for (const call of input.calls) {
    const permissions = permissionsBehind(call)
    if (permissions === undefined) throw refuse(ErrorReason.WORKLOAD_CALL_UNKNOWN, { call })
    for (const permission of permissions) given.add(permission)
  }
  await checkScopes(deps, giver, [...given])
  return await transact(deps.db, async (tx) => {
    await nextRegistryVersion(tx)
    const row = await putWorkload(tx, input, new Date(deps.now()))
    if (!row) throw refuse(ErrorReason.WORKLOAD_EXISTS)
    await audit(tx, { tenant: defaultTenant, kind: 'workload_register', subjectId: row.name })
    return row
  })
}

/** Forgets a workload; answers whether there was one. */
export async function unregisterWorkload(deps: Pick<Deps, 'db'>, name: string): Promise<boolean> {
  return await transact(deps.db, async (tx) => {
    await nextRegistryVersion(tx)
    const deleted = await deleteWorkload(tx, name)
    if (deleted) await audit(tx, { tenant: defaultTenant, kind: 'workload_unregister', subjectId: name })
    return deleted
  })
}
