import { create } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { type Binding, BindingSchema, SubjectKind } from '@gatehouse/contracts/gatehouse/auth/v1/access_pb'
import type { SubjectKindName } from '../../store/access-tables.ts'
import type { BindingRow } from '../../store/bindings.ts'

export const subjectKinds: Readonly<Record<SubjectKindName, SubjectKind>> = {
  person: SubjectKind.PERSON,
  service_account: SubjectKind.SERVICE_ACCOUNT,
  group: SubjectKind.GROUP,
}

/** A binding as it is told. */
export function bindingMessage(row: BindingRow): Binding {
  return create(BindingSchema, {
    id: row.id,
    role: row.role,
    subject: { kind: subjectKinds[row.subject_kind], id: row.subject_id },
    resource: row.resource,
    condition: row.condition,
    createTime: timestampFromDate(row.create_time),
    creatorId: row.creator_id ?? '',
    ...(row.expire_time && { expireTime: timestampFromDate(row.expire_time) }),
  })
}
