import type { ColumnType, Generated } from 'kysely'

/** Set at insert, never changed. */
type Fixed<T> = ColumnType<T, T, never>

export type SubjectKindName = 'person' | 'service_account' | 'group'

export interface RolesTable {
  tenant: Fixed<string>
  /** Of this role, should another have its name later. */
  id: Fixed<string>
  name: Fixed<string>
  description: string
  permissions: string[]
  /** Of the tenant's access, at the last change. */
  version: bigint
  create_time: Generated<Date>
  update_time: Generated<Date>
}

export interface GroupsTable {
  tenant: Fixed<string>
  id: Fixed<string>
  name: Fixed<string>
  create_time: Generated<Date>
}

export interface GroupMembersTable {
  tenant: Fixed<string>
  group_id: Fixed<string>
  member_id: Fixed<string>
  member_kind: Fixed<'person' | 'service_account'>
  create_time: Generated<Date>
}

/** Roles that hold on everything and always. */
export interface RoleBindingsTable {
  tenant: Fixed<string>
  subject_id: Fixed<string>
  role: Fixed<string>
  create_time: Generated<Date>
  id: Generated<string>
  /** Null in rows of an earlier release: a service account where one has the id, and a person otherwise. */
  subject_kind: ColumnType<SubjectKindName | null, SubjectKindName | null | undefined, never>
  creator_id: ColumnType<string | null, string | null | undefined, never>
}

/** Roles that hold on a resource, under a condition or for a time; empty texts and null where that is not so. */
export interface ConditionalBindingsTable {
  tenant: Fixed<string>
  id: Fixed<string>
  role: Fixed<string>
  subject_kind: Fixed<SubjectKindName>
  subject_id: Fixed<string>
  resource: Fixed<string>
  condition: Fixed<string>
  expire_time: Fixed<Date | null>
  creator_id: Fixed<string | null>
  create_time: Generated<Date>
}

/** Counts the changes of who may do what in a tenant; whoever raises it is the only one who changes anything until the commit. */
export interface AccessVersionsTable {
  tenant: Fixed<string>
  version: bigint
}

export type ChangeKind = 'role' | 'member' | 'binding'

/** What changed. The feed reads what became of it. */
export interface AccessChangesTable {
  tenant: Fixed<string>
  version: Fixed<bigint>
  kind: Fixed<ChangeKind>
  /** Name of the role, id of the binding, or `<group>/<member>`. */
  name: Fixed<string>
  /** Of the database's clock. */
  change_time: Generated<Date>
}

/** People who are about to be suspended or deleted. */
export interface LeavingPeopleTable {
  tenant: Fixed<string>
  user_id: Fixed<string>
  until_time: Date
}

/** The tables of who may do what. */
export interface AccessTables {
  roles: RolesTable
  groups: GroupsTable
  group_members: GroupMembersTable
  role_bindings: RoleBindingsTable
  conditional_bindings: ConditionalBindingsTable
  access_versions: AccessVersionsTable
  access_changes: AccessChangesTable
  leaving_people: LeavingPeopleTable
}
