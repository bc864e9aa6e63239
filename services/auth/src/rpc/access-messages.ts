import { create } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import {
  type Group,
  type GroupMember,
  GroupMemberSchema,
  GroupSchema,
  type Role,
  RoleSchema,
} from '@gatehouse/contracts/gatehouse/auth/v1/access_pb'
import { subjectKinds } from '../core/access/binding-message.ts'
import type { ListedRole } from '../core/roles/list-roles.ts'
import { etagOf } from '../core/roles/role-etag.ts'
import type { GroupMemberRow, GroupRow } from '../store/groups.ts'

export function roleMessage(role: ListedRole): Role {
  const { name, description } = role
  const permissions = [...role.permissions]
  if (!('version' in role)) return create(RoleSchema, { name, description, permissions, builtIn: true })
  return create(RoleSchema, {
    name,
    description,
    permissions,
    createTime: timestampFromDate(role.create_time),
    updateTime: timestampFromDate(role.update_time),
    etag: etagOf(role),
  })
}

export function groupMessage({ id, name, create_time }: GroupRow): Group {
  return create(GroupSchema, { id, name, createTime: timestampFromDate(create_time) })
}

export function memberMessage({ member_id, member_kind, create_time }: GroupMemberRow): GroupMember {
  return create(GroupMemberSchema, {
    subject: { kind: subjectKinds[member_kind], id: member_id },
    createTime: timestampFromDate(create_time),
  })
}
