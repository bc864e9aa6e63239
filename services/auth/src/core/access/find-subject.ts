import { SubjectKind } from '@gatehouse/contracts/gatehouse/auth/v1/access_pb'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import type { Refusal } from '@gatehouse/rpc'
import type { SubjectKindName } from '../../store/access-tables.ts'
import { findGroup } from '../../store/groups.ts'
import { serviceAccountExists } from '../../store/service-accounts.ts'
import type { Db, Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'

/** Whom a role is given to, or who comes into a group. */
export interface SubjectKey {
  readonly kind: SubjectKindName
  readonly id: string
}

/** A subject of a request, its id as the database writes it. */
export function subjectKey(subject: { readonly kind: SubjectKind; readonly id: string } | undefined): SubjectKey {
  const kinds: Partial<Record<SubjectKind, SubjectKindName>> = {
    [SubjectKind.PERSON]: 'person',
    [SubjectKind.SERVICE_ACCOUNT]: 'service_account',
    [SubjectKind.GROUP]: 'group',
  }
  const kind = subject && kinds[subject.kind]
  if (kind === undefined) throw new TypeError('a subject without a kind came through the rules of the contract')
  return { kind, id: subject?.id.toLowerCase() ?? '' }
}

/** What is wrong with a person, asked before the transaction; whoever was deleted gets nothing. Undefined for whom auth itself knows. */
export async function personProblem(
  deps: Pick<Deps, 'batches'>,
  tenant: string,
  { kind, id }: SubjectKey,
): Promise<Refusal | Error | undefined> {
  if (kind !== 'person') return undefined
  try {
    const user = await deps.batches.person({ tenant, id })
    return user && user.state !== User_State.DELETED ? undefined : refuse(ErrorReason.SUBJECT_NOT_FOUND)
  } catch (error) {
    return error instanceof Error ? error : new Error('the user service failed', { cause: error })
  }
}

/** Refuses a group or a service account that there is not. */
export async function assertSubject(tx: Db, tenant: string, { kind, id }: SubjectKey): Promise<void> {
  const exists =
    kind === 'group'
      ? (await findGroup(tx, { tenant, id })) !== undefined
      : kind === 'person' || (await serviceAccountExists(tx, { tenant, id }))
  if (!exists) throw refuse(ErrorReason.SUBJECT_NOT_FOUND)
}
