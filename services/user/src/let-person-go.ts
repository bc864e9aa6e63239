import { createClient } from '@connectrpc/connect'
import { AccessService } from '@gatehouse/contracts/gatehouse/auth/v1/access_service_pb'
import { ErrorReason as CommonReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/user/v1/error_reason_pb'
import type { AccessDirectory } from '@gatehouse/identity'
import { commonRefusal, forTenant, reasonOf } from '@gatehouse/rpc'
import type { Service } from '@gatehouse/service'
import { refuse } from './core/refuse.ts'
import type { UserKey } from './store/users.ts'

const patienceMs = 3_000

/** Refuses to let somebody go without whom nobody could do everything any more. */
export type LetGo = (person: UserKey) => Promise<void>

/**
 * Asks auth before a suspension or deletion. While auth is away, whoever is no administrator by what this process was told last goes without an answer:
 * somebody has to be stopped at any time.
 */
export function letPersonGo(service: Pick<Service<never>, 'peer'> & { readonly identity: { readonly access: AccessDirectory } }): LetGo {
  const auth = createClient(AccessService, service.peer('auth'))
  const { access } = service.identity
  return async ({ tenant, id }) => {
    const isAdministrator = access.holdsEverything({ tenant, id: id.toLowerCase() })
    try {
      await auth.releasePerson({ userId: id }, forTenant(tenant, { timeoutMs: patienceMs }))
    } catch (error) {
      if (reasonOf(error) === 'LAST_ADMINISTRATOR') throw refuse(ErrorReason.LAST_ADMINISTRATOR)
      // Whatever else it says: no answer. The release of auth before this one has no such RPC, and knows no better.
      if (isAdministrator !== true) return
      throw commonRefusal(CommonReason.DEPENDENCY_UNAVAILABLE, { dependency: 'auth' }, { cause: error })
    }
  }
}
