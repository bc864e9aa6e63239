import { create } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { Code, ConnectError } from '@connectrpc/connect'
import { type User, User_State, UserSchema } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import {
  ActivateUserResponseSchema,
  BatchGetUsersResponseSchema,
  ChangeUserEmailResponseSchema,
  CreateUserResponseSchema,
  RegisterUserResponseSchema,
  ResolveUserResponseSchema,
} from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { ErrorInfoSchema } from '@gatehouse/contracts/google/rpc/error_details_pb'
import { tenantHeader } from '@gatehouse/identity'
import { v7 as uuidv7 } from 'uuid'
import type { Users } from '../src/core/deps.ts'

/** Stands for the user service where a test needs to see what it was asked, or to have it fail in the middle. */
export interface PeopleStandIn {
  readonly users: Users
  /** Names of the calls, in their order. */
  readonly calls: string[]
  add(tenant: string, person: { email: string; name?: string; locale?: string; state?: User_State; emailVerified?: boolean }): User
  of(tenant: string, userId: string): User
  /** Runs before a call of that name; throw there to fail it. */
  before(call: string, act: () => void | Promise<void>): void
}

export function standInForPeople(): PeopleStandIn {
  const people = new Map<string, User>()
  const calls: string[] = []
  const hooks = new Map<string, () => void | Promise<void>>()

  async function called(name: string, options: { headers?: HeadersInit } | undefined): Promise<string> {
    calls.push(name)
    await hooks.get(name)?.()
    const tenant = new Headers(options?.headers).get(tenantHeader)
    if (tenant === null) throw new TypeError(`${name} was called without a tenant`)
    return tenant
  }
  const byId = (tenant: string, id: string) => people.get(`${tenant} ${id}`)
  const byEmail = (tenant: string, email: string) =>
    [...people].find(([key, person]) => key.startsWith(`${tenant} `) && person.email.toLowerCase() === email.toLowerCase())?.[1]
  const put = (tenant: string, person: User): User => {
    people.set(`${tenant} ${person.id}`, person)
    return person
  }

  const users: Users = {
    async resolveUser({ by }, options) {
      const tenant = await called('resolveUser', options)
      const user = by?.case === 'email' ? byEmail(tenant, by.value ?? '') : byId(tenant, by?.value ?? '')
      if (user === undefined) throw refused(Code.NotFound, 'USER_NOT_FOUND')
      return create(ResolveUserResponseSchema, { user })
    },
    async batchGetUsers({ ids = [] }, options) {
      const tenant = await called('batchGetUsers', options)
      const found = ids.map((id) => byId(tenant, id))
      return create(BatchGetUsersResponseSchema, {
        users: found.filter((user) => user !== undefined),
        missingIds: ids.filter((_, index) => found[index] === undefined),
      })
    },
    async registerUser({ id = '', email = '', name = '', locale = '' }, options) {
      const tenant = await called('registerUser', options)
      const known = byId(tenant, id)
      if (known) return create(RegisterUserResponseSchema, { user: known })
      if (byEmail(tenant, email)) throw refused(Code.AlreadyExists, 'EMAIL_TAKEN')
      const user = put(tenant, person({ id, email, name, locale, state: User_State.ACTIVE }))
      return create(RegisterUserResponseSchema, { user })
    },
    async activateUser({ id = '' }, options) {
      const tenant = await called('activateUser', options)
      const user = byId(tenant, id)
      if (!user) throw refused(Code.NotFound, 'USER_NOT_FOUND')
      if (user.state !== User_State.INVITED && user.state !== User_State.ACTIVE) throw refused(Code.FailedPrecondition, 'USER_STATE')
      user.state = User_State.ACTIVE
      return create(ActivateUserResponseSchema, { user })
    },
    async changeUserEmail({ id = '', email = '' }, options) {
      const tenant = await called('changeUserEmail', options)
      const user = byId(tenant, id)
      const owner = byEmail(tenant, email)
      if (!user) throw refused(Code.NotFound, 'USER_NOT_FOUND')
      if (user.state !== User_State.ACTIVE) throw refused(Code.FailedPrecondition, 'USER_STATE')
      if (owner && owner.id !== id) throw refused(Code.AlreadyExists, 'EMAIL_TAKEN')
      user.email = email
      return create(ChangeUserEmailResponseSchema, { user })
    },
    async createUser({ email = '', name = '', locale = '' }, options) {
      const tenant = await called('createUser', options)
      if (byEmail(tenant, email)) throw refused(Code.AlreadyExists, 'EMAIL_TAKEN')
      const user = put(tenant, person({ id: uuidv7(), email, name, locale, state: User_State.INVITED }))
      return create(CreateUserResponseSchema, { user })
    },
  }
  return {
    users,
    calls,
    add: (tenant, given) => put(tenant, person({ id: uuidv7(), ...given })),
    of(tenant, userId) {
      const user = byId(tenant, userId)
      if (!user) throw new TypeError(`nobody is ${userId}`)
      return user
    },
    before: (call, act) => void hooks.set(call, act),
  }
}

function person(given: { id: string; email: string; name?: string; locale?: string; state?: User_State; emailVerified?: boolean }): User {
  const time = timestampFromMs(Date.now())
  return create(UserSchema, {
    name: 'Somebody',
    locale: 'en',
    state: User_State.ACTIVE,
    createTime: time,
    updateTime: time,
    version: 1n,
    ...given,
  })
}

function refused(code: Code, reason: string): ConnectError {
  const info = create(ErrorInfoSchema, { reason, domain: 'user.gatehouse' })
  return new ConnectError(reason, code, undefined, [{ desc: ErrorInfoSchema, value: info }])
}
