import type { DescMessage, MessageShape } from '@bufbuild/protobuf'
import { timestampDate } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import {
  type AccessService,
  CreateBindingRequestSchema,
  CreateGroupRequestSchema,
  CreateRoleRequestSchema,
} from '@gatehouse/contracts/gatehouse/auth/v1/access_service_pb'
import type { Request } from '@gatehouse/postgres'
import { type Call, callOf, repeated } from '@gatehouse/rpc'
import type { AccessFeed } from '../core/access/access-feed.ts'
import { bindingMessage } from '../core/access/binding-message.ts'
import type { AccessDeps } from '../core/access/change-access.ts'
import { check, listPermissions } from '../core/access/check.ts'
import { explainCheck } from '../core/access/explain-check.ts'
import { subjectKey } from '../core/access/find-subject.ts'
import { releasePerson } from '../core/access/release-person.ts'
import { watchAccess } from '../core/access/watch-access.ts'
import { createBinding } from '../core/bindings/create-binding.ts'
import { deleteBinding } from '../core/bindings/delete-binding.ts'
import { getBinding, listBindings } from '../core/bindings/list-bindings.ts'
import type { Deps } from '../core/deps.ts'
import { addGroupMember, removeGroupMember } from '../core/groups/change-members.ts'
import { createGroup } from '../core/groups/create-group.ts'
import { deleteGroup } from '../core/groups/delete-group.ts'
import { getGroup, listGroupMembers, listGroups } from '../core/groups/list-groups.ts'
import { createRole } from '../core/roles/create-role.ts'
import { deleteRole } from '../core/roles/delete-role.ts'
import { getRole, listRoles } from '../core/roles/list-roles.ts'
import { updateRole } from '../core/roles/update-role.ts'
import { groupMessage, memberMessage, roleMessage } from './access-messages.ts'
import { granterOf } from './granter-of.ts'

type ServiceDeps = AccessDeps & Pick<Deps, 'requestKeys' | 'requestsKeptSeconds'> & { readonly feed: AccessFeed }

/** Who may do what. */
export function accessService(deps: ServiceDeps) {
  const retryOf = <Desc extends DescMessage>(
    schema: Desc,
    request: MessageShape<Desc> & { requestId: string },
    call: Call,
    method: string,
  ) =>
    ({
      requestId: request.requestId,
      caller: callerName(call),
      method: `gatehouse.auth.v1.AccessService/${method}`,
      ...repeated(schema, request, deps.requestKeys),
      keptSeconds: deps.requestsKeptSeconds,
    }) satisfies Omit<Request, 'tenant'>

  return {
    async createRole(request, context) {
      const call = callOf(context)
      const { name, description, permissions } = request
      const input = { tenant: call.tenant, granter: granterOf(call), name, description, permissions }
      return {
        role: roleMessage(await createRole(deps, { ...input, request: retryOf(CreateRoleRequestSchema, request, call, 'CreateRole') })),
      }
    },
    async getRole({ name }, context) {
      return { role: roleMessage(await getRole(deps, { tenant: callOf(context).tenant, name })) }
    },
    async listRoles({ pageSize, pageToken }, context) {
      const { roles, nextPageToken } = await listRoles(deps, { tenant: callOf(context).tenant, pageSize, pageToken })
      return { roles: roles.map(roleMessage), nextPageToken }
    },
    async updateRole({ name, etag, description, permissionSet }, context) {
      const call = callOf(context)
      const input = { tenant: call.tenant, granter: granterOf(call), name, etag, description, permissions: permissionSet?.permissions }
      return { role: roleMessage(await updateRole(deps, input)) }
    },
    async deleteRole({ name }, context) {
      await deleteRole(deps, { tenant: callOf(context).tenant, name })
      return {}
    },
    async createGroup(request, context) {
      const call = callOf(context)
      const { name } = request
      return {
        group: groupMessage(
          await createGroup(deps, { tenant: call.tenant, name, request: retryOf(CreateGroupRequestSchema, request, call, 'CreateGroup') }),
        ),
      }
    },
    async getGroup({ id }, context) {
      return { group: groupMessage(await getGroup(deps, { tenant: callOf(context).tenant, id })) }
    },
    async listGroups({ pageSize, pageToken }, context) {
      const { rows, nextPageToken } = await listGroups(deps, { tenant: callOf(context).tenant, pageSize, pageToken })
      return { groups: rows.map(groupMessage), nextPageToken }
    },
    async deleteGroup({ id }, context) {
      await deleteGroup(deps, { tenant: callOf(context).tenant, id })
      return {}
    },
    async addGroupMember({ groupId, subject }, context) {
      const call = callOf(context)
      const input = { tenant: call.tenant, granter: granterOf(call), groupId, subject: subjectKey(subject) }
      return { member: memberMessage(await addGroupMember(deps, input)) }
    },
    async removeGroupMember({ groupId, memberId }, context) {
      await removeGroupMember(deps, { tenant: callOf(context).tenant, groupId, memberId })
      return {}
    },
    async listGroupMembers({ groupId, pageSize, pageToken }, context) {
      const { rows, nextPageToken } = await listGroupMembers(deps, { tenant: callOf(context).tenant, groupId, pageSize, pageToken })
      return { members: rows.map(memberMessage), nextPageToken }
    },
    async createBinding(request, context) {
      const call = callOf(context)
      const { role, subject, resource, condition, expireTime } = request
      const binding = await createBinding(deps, {
        tenant: call.tenant,
        granter: granterOf(call),
        role,
        subject: subjectKey(subject),
        resource,
        condition,
        expireTime: expireTime ? timestampDate(expireTime) : null,
        request: retryOf(CreateBindingRequestSchema, request, call, 'CreateBinding'),
      })
      return { binding: bindingMessage(binding) }
    },
    async getBinding({ id }, context) {
      return { binding: bindingMessage(await getBinding(deps, { tenant: callOf(context).tenant, id })) }
    },
    async listBindings({ role, subjectId, pageSize, pageToken }, context) {
      const { rows, nextPageToken } = await listBindings(deps, { tenant: callOf(context).tenant, role, subjectId, pageSize, pageToken })
      return { bindings: rows.map(bindingMessage), nextPageToken }
    },
    async deleteBinding({ id }, context) {
      await deleteBinding(deps, { tenant: callOf(context).tenant, id })
      return {}
    },
    async check({ principalId, permission, resource }, context) {
      const [allowed = false] = check(deps, { tenant: callOf(context).tenant, id: principalId }, [{ permission, resource }])
      return { allowed }
    },
    async batchCheck({ principalId, questions }, context) {
      return { allowed: check(deps, { tenant: callOf(context).tenant, id: principalId }, questions, (at) => `questions[${at}].permission`) }
    },
    async listPermissions({ principalId, resource }, context) {
      return { permissions: listPermissions(deps, { tenant: callOf(context).tenant, id: principalId }, resource) }
    },
    async explainCheck({ principalId, permission, resource }, context) {
      return explainCheck(deps, { tenant: callOf(context).tenant, id: principalId }, { permission, resource })
    },
    async releasePerson({ userId }, context) {
      await releasePerson(deps, { tenant: callOf(context).tenant, userId })
      return {}
    },
    watchAccess({ cursor }, context) {
      return watchAccess(deps, { cursor, signal: callOf(context).signal })
    },
  } satisfies ServiceImpl<typeof AccessService>
}

/** Whose requests a `request_id` is unique among. */
function callerName(call: Call): string {
  const { kind, id } = call.person()
  return `${kind}:${id}`
}
