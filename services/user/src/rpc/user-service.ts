import type { ServiceImpl } from '@connectrpc/connect'
import { CreateUserRequestSchema, type UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { callOf, type MacKeys, repeated } from '@gatehouse/rpc'
import { activateUser } from '../core/activate-user.ts'
import { batchGetUsers } from '../core/batch-get-users.ts'
import { changeUserEmail } from '../core/change-user-email.ts'
import { createUser } from '../core/create-user.ts'
import { deleteUser } from '../core/delete-user.ts'
import type { Deps } from '../core/deps.ts'
import { getUser } from '../core/get-user.ts'
import { listUsers } from '../core/list-users.ts'
import { reactivateUser } from '../core/reactivate-user.ts'
import { registerUser } from '../core/register-user.ts'
import { resolveUser } from '../core/resolve-user.ts'
import { searchUsers } from '../core/search-users.ts'
import { suspendUser } from '../core/suspend-user.ts'
import { updateUser } from '../core/update-user.ts'
import type { UserFeed } from '../core/watch/user-feed.ts'
import { watchUsers } from '../core/watch/watch-users.ts'
import { callerName, inviterId } from './caller.ts'
import { toPage, toTold, toUser } from './to-proto.ts'

/** How requests that carry a `request_id` are compared, and for how long. */
type Repeats = { readonly requestKeys: MacKeys; readonly requestsKeptSeconds?: number }

export const userService = (deps: Deps & { feed: UserFeed }, { requestKeys, requestsKeptSeconds }: Repeats) =>
  ({
    async createUser(request, context) {
      const { tenant, caller } = callOf(context)
      const { name, email, locale, requestId } = request
      const once = {
        requestId,
        caller: callerName(caller),
        method: 'gatehouse.user.v1.UserService/CreateUser',
        ...repeated(CreateUserRequestSchema, request, requestKeys),
        keptSeconds: requestsKeptSeconds,
      }
      return { user: toUser(await createUser(deps, { tenant, name, email, locale, inviterId: inviterId(caller), request: once })) }
    },
    async getUser({ id }, context) {
      return { user: toUser(await getUser(deps, { tenant: callOf(context).tenant, id })) }
    },
    async batchGetUsers({ ids }, context) {
      const { users, missingIds } = await batchGetUsers(deps, { tenant: callOf(context).tenant, ids })
      return { users: users.map(toUser), missingIds }
    },
    async getCurrentUser(_, context) {
      const { tenant, id } = callOf(context).person()
      return { user: toUser(await getUser(deps, { tenant, id })) }
    },
    async listUsers({ pageSize, pageToken, newestFirst }, context) {
      return toPage(await listUsers(deps, { tenant: callOf(context).tenant, newestFirst, pageSize, pageToken }))
    },
    async searchUsers({ query, pageSize, pageToken }, context) {
      return toPage(await searchUsers(deps, { tenant: callOf(context).tenant, query, pageSize, pageToken }))
    },
    async updateUser({ id, etag, name, locale, timeZone }, context) {
      return { user: toUser(await updateUser(deps, { tenant: callOf(context).tenant, id, etag, name, locale, timeZone })) }
    },
    async suspendUser({ id }, context) {
      return { user: toUser(await suspendUser(deps, { tenant: callOf(context).tenant, id })) }
    },
    async reactivateUser({ id }, context) {
      return { user: toUser(await reactivateUser(deps, { tenant: callOf(context).tenant, id })) }
    },
    async deleteUser({ id }, context) {
      await deleteUser(deps, { tenant: callOf(context).tenant, id })
      return {}
    },
    watchUsers({ cursor }, context) {
      const { tenant, caller, signal } = callOf(context)
      return toTold(watchUsers(deps, { tenant, caller: callerName(caller), cursor, signal }))
    },
    async resolveUser({ by }, context) {
      const { tenant } = callOf(context)
      return { user: toUser(await resolveUser(deps, by.case === 'email' ? { tenant, email: by.value } : { tenant, id: by.value ?? '' })) }
    },
    async registerUser({ id, name, email, locale }, context) {
      return { user: toUser(await registerUser(deps, { tenant: callOf(context).tenant, id, name, email, locale })) }
    },
    async activateUser({ id }, context) {
      return { user: toUser(await activateUser(deps, { tenant: callOf(context).tenant, id })) }
    },
    async changeUserEmail({ id, email }, context) {
      return { user: toUser(await changeUserEmail(deps, { tenant: callOf(context).tenant, id, email })) }
    },
  }) satisfies ServiceImpl<typeof UserService>
