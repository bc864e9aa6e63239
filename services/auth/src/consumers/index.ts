import type { Consumer } from '@gatehouse/events'
import type { Deps } from '../core/deps.ts'
import type { Schema } from '../store/schema.ts'
import { onUserDeleted } from './on-user-deleted.ts'
import { onUserInvited } from './on-user-invited.ts'
import { onUserReactivated } from './on-user-reactivated.ts'
import { onUserSuspended } from './on-user-suspended.ts'
import { onUserUpdated } from './on-user-updated.ts'

export const consumersOf = (deps: Deps): Consumer<Schema>[] => [
  onUserInvited(deps),
  onUserUpdated(),
  onUserSuspended(deps),
  onUserReactivated(),
  onUserDeleted(deps),
]
