import { create } from '@bufbuild/protobuf'
import { type Timestamp, timestampFromMs } from '@bufbuild/protobuf/wkt'
import { type AccessFact, AccessFactSchema, BindingSchema, SubjectKind } from '@gatehouse/contracts/gatehouse/auth/v1/access_pb'
import type { Person } from '../caller.ts'

export const tenant = 'default'

export function roleFact(name: string, ...permissions: string[]): AccessFact {
  return create(AccessFactSchema, { tenant, fact: { case: 'role', value: { name, permissions } } })
}

interface BindingParts {
  readonly resource?: string
  readonly condition?: string
  readonly expireTime?: Timestamp
}

export function bindingFact(id: string, subjectId: string, role: string, more: BindingParts = {}): AccessFact {
  const kind = subjectId.startsWith('group') ? SubjectKind.GROUP : SubjectKind.PERSON
  const value = create(BindingSchema, { id, role, subject: { kind, id: subjectId }, ...more })
  return create(AccessFactSchema, { tenant, fact: { case: 'binding', value } })
}

export function memberFact(groupId: string, memberId: string): AccessFact {
  return create(AccessFactSchema, { tenant, fact: { case: 'member', value: { groupId, memberId } } })
}

export function goneFact(kind: 'roleGone' | 'bindingGone', value: string): AccessFact {
  return create(AccessFactSchema, { tenant, fact: { case: kind, value } })
}

export function leftFact(groupId: string, memberId: string): AccessFact {
  return create(AccessFactSchema, { tenant, fact: { case: 'memberGone', value: { groupId, memberId } } })
}

export const expiring = (ms: number) => ({ expireTime: timestampFromMs(ms) })

export function personOf(id: string, more: Partial<Person> = {}): Person {
  return {
    kind: 'person',
    id,
    tenant,
    sessionId: 's',
    generation: 0,
    strength: 1,
    authTime: 0,
    clientId: 'c',
    permissions: new Set(),
    expireTime: 0,
    ...more,
  }
}
