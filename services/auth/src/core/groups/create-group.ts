import { once, type Request, transact } from '@gatehouse/postgres'
import { v7 as uuidv7 } from 'uuid'
import { countGroups, findGroup, type GroupRow, insertGroup } from '../../store/groups.ts'
import { type AccessDeps, changing } from '../access/change-access.ts'
import { tellGroupChanged } from '../access/events.ts'
import { assertRoom } from '../access/limits.ts'
import { ErrorReason, refuse } from '../refuse.ts'

export interface CreateGroupInput {
  readonly tenant: string
  readonly name: string
  readonly request: Omit<Request, 'tenant'>
}

/** Makes an empty group. The same request again answers the group that it made. */
export async function createGroup(deps: AccessDeps, { tenant, name, request }: CreateGroupInput): Promise<GroupRow> {
  const group = await transact(deps.db, async (tx) => {
    const { id } = await once(tx, { tenant, ...request }, async () => {
      const change = await changing(tx, tenant)
      assertRoom('groups', await countGroups(tx, tenant))
      const made = await insertGroup(tx, { tenant, id: uuidv7(), name })
      if (!made) throw refuse(ErrorReason.GROUP_EXISTS)
      await tellGroupChanged(change, made.id, { kind: 'group_create' })
      return made.id
    })
    return await findGroup(tx, { tenant, id })
  })
  if (!group) throw refuse(ErrorReason.GROUP_NOT_FOUND)
  deps.committed()
  return group
}
