import { ConditionInvalid, checkCondition } from '@gatehouse/identity'
import { once, type Request, transact } from '@gatehouse/postgres'
import { v7 as uuidv7 } from 'uuid'
import { type BindingRow, findBinding, insertBinding, listBindingsOf } from '../../store/bindings.ts'
import { findRole } from '../../store/roles.ts'
import { assertHolds } from '../access/assert-holds.ts'
import { type AccessDeps, type Changing, changing, type Granter } from '../access/change-access.ts'
import { tellBindingChanged } from '../access/events.ts'
import { assertSubject, personProblem, type SubjectKey } from '../access/find-subject.ts'
import { assertRoom } from '../access/limits.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { builtInRole } from '../roles/built-in-roles.ts'

export interface CreateBindingInput {
  readonly tenant: string
  readonly granter: Granter
  readonly role: string
  readonly subject: SubjectKey
  /** Empty for everything. */
  readonly resource: string
  /** Empty for always. */
  readonly condition: string
  /** Null for ever. */
  readonly expireTime: Date | null
  readonly request: Omit<Request, 'tenant'>
}

/** Gives a role to somebody. The same request again answers the binding that it made. */
export async function createBinding(deps: AccessDeps, input: CreateBindingInput): Promise<BindingRow> {
  const { tenant, subject, request } = input
  assertCondition(input.condition)
  if (input.expireTime !== null && input.expireTime.getTime() <= deps.now()) throw refuse(ErrorReason.EXPIRE_TIME_PAST)
  // Asked before the transaction, because none stays open across a call to a peer.
  const problem = await personProblem(deps, tenant, subject)
  const binding = await transact(deps.db, async (tx) => {
    const { id } = await once(tx, { tenant, ...request }, async () => {
      if (problem) throw problem
      return await bind(deps, await changing(tx, tenant), input)
    })
    return await findBinding(tx, { tenant, id })
  })
  // It was made by an earlier call, and deleted since.
  if (!binding) throw refuse(ErrorReason.BINDING_EXISTS)
  deps.committed()
  await deps.accessChanged()
  return binding
}

function assertCondition(condition: string): void {
  if (condition === '') return
  try {
    checkCondition(condition)
  } catch (error) {
    if (!(error instanceof ConditionInvalid)) throw error
    throw refuse(ErrorReason.CONDITION_INVALID, { position: String(error.position), problem: error.problem })
  }
}

async function bind(deps: AccessDeps, change: Changing, input: CreateBindingInput): Promise<string> {
  const { tx, tenant } = change
  const { role, subject, resource, condition, expireTime, granter } = input
  if (!builtInRole(role) && !(await findRole(tx, { tenant, name: role }))) throw refuse(ErrorReason.ROLE_NOT_FOUND, { role })
  await assertSubject(tx, tenant, subject)
  await assertHolds(change, granter, { role }, { resource, expireTime }, deps.now())
  assertRoom('bindings', (await listBindingsOf(tx, tenant, [subject.id])).length)
  const id = uuidv7()
  const isNew = await insertBinding(tx, {
    tenant,
    id,
    role,
    subject_kind: subject.kind,
    subject_id: subject.id,
    resource,
    condition,
    expire_time: expireTime,
    creator_id: granter === 'operator' ? null : granter.id,
  })
  if (!isNew) throw refuse(ErrorReason.BINDING_EXISTS)
  await change.tell([{ kind: 'binding', name: id }])
  await tellBindingChanged(change, id, { kind: 'role_bind', subjectId: subject.id, role, resource, condition, expireTime })
  return id
}
