import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { type AccessFact, AccessFactSchema, type BindingSchema, SubjectKind } from '@gatehouse/contracts/gatehouse/auth/v1/access_pb'
import type { Person } from '../caller.ts'

export const tenant = 'default'

export function roleFact(name: string, ...permissions: string[]): AccessFact {
  return create(AccessFactSchema, { tenant, fact: { case: 'role', value: { name, permissions } } })
}

export function bindingFact(id: string, subjectId: string, role: string, more: MessageInitShape<typeof BindingSchema> = {}): AccessFact {
  const kind = subjectId.startsWith('group') ? SubjectKind.GROUP : SubjectKind.PERSON
  return create(AccessFactSchema, { tenant, fact: { case: 'binding', value: { id, role, subject: { kind, id: subjectId }, ...more } } })
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
  return { kind: 'person', id, tenant, sessionId: 's', clientId: 'c', permissions: new Set(), expireTime: 0, ...more }
}
