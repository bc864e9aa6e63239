import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { FactorService } from '@gatehouse/contracts/gatehouse/auth/v1/factor_service_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { GetUserRequestSchema, ResolveUserRequestSchema, UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { Health } from '@gatehouse/contracts/grpc/health/v1/health_pb'
import { type AccessDecider, type Caller, compileAccess, requestField, Strength } from './index.ts'

const ada: Caller = {
  person: {
    kind: 'person',
    id: 'ada',
    tenant: 'default',
    sessionId: 's',
    generation: 0,
    strength: 1,
    authTime: 0,
    clientId: 'c',
    permissions: new Set(),
    expireTime: 0,
  },
}
const admin: Caller = { person: { ...ada.person, id: 'root', permissions: new Set(['user.users.read']) } as Caller['person'] & object }
const robot: Caller = { person: { ...admin.person, kind: 'service_account', sessionId: '' } as Caller['person'] & object }

test('alternatives of one RPC: own, permission, workload', () => {
  const rule = compileAccess(UserService.method.getUser)
  assert.equal(rule.decide({}), 'missing')
  assert.equal(rule.decide(ada), 'own')
  assert.equal(rule.owns(ada, create(GetUserRequestSchema, { id: 'ada' })), true)
  assert.equal(rule.owns(ada, create(GetUserRequestSchema, { id: 'bob' })), false)
  assert.equal(rule.decide(admin), 'granted')
  assert.equal(rule.decide(robot), 'granted')
  assert.equal(rule.decide({ workload: 'billing' }), 'granted')
})

test('a workload that acts for a person may what both may', () => {
  const rule = compileAccess(UserService.method.getUser)
  assert.equal(rule.decide({ ...ada, workload: 'billing' }), 'own')
  assert.equal(compileAccess(UserService.method.updateUser).decide({ ...ada, workload: 'billing' }), 'denied')
})

test('named workloads only', () => {
  const rule = compileAccess(UserService.method.resolveUser)
  assert.equal(rule.forPeople, false)
  assert.equal(rule.decide({ workload: 'auth' }), 'granted')
  assert.equal(rule.decide({ workload: 'billing' }), 'denied')
  assert.equal(rule.decide(admin), 'denied')
})

test('signed-in people are people', () => {
  const rule = compileAccess(SessionService.method.listSessions)
  assert.equal(rule.decide(ada), 'granted')
  assert.equal(rule.decide(robot), 'denied')
  assert.equal(rule.decide({}), 'missing')
  assert.equal(compileAccess(SessionService.method.signIn).decide({}), 'granted')
})

test('a trusted device is no second factor: a step-up asks for one, however fresh the sign-in is', () => {
  const rule = compileAccess(FactorService.method.makeRecoveryCodes)
  const person = { ...ada.person, authTime: 1_000_000 } as Caller['person'] & object
  assert.equal(rule.lacks({ person }, 1_000_000), undefined)
  assert.deepEqual(rule.lacks({ person: { ...person, onTrustedDevice: true } }, 1_000_000), {
    strength: Strength.TWO_FACTORS,
    maxAgeSeconds: 600,
  })
  assert.equal(
    compileAccess(SessionService.method.listSessions).lacks({ person: { ...person, onTrustedDevice: true } }, 1_000_000),
    undefined,
  )
})

test('an RPC that declares nothing cannot be served', () => {
  assert.throws(() => compileAccess(Health.method.check), /declares no access/)
})

test('a field is read through its oneof', () => {
  const read = requestField(ResolveUserRequestSchema, 'email')
  assert.equal(read(create(ResolveUserRequestSchema, { by: { case: 'email', value: 'a@b.c' } })), 'a@b.c')
  assert.equal(read(create(ResolveUserRequestSchema, { by: { case: 'id', value: 'x' } })), '')
  assert.throws(() => requestField(ResolveUserRequestSchema, 'name'), TypeError)
})

/** Holds the permission on one person. */
const onOne = (userId: string): AccessDecider => ({
  allows: (_, permission, resource) => permission.startsWith('user.users.') && resource?.name === `user/${userId}`,
  allowsSome: (_, permission) => permission.startsWith('user.users.'),
  onChange: () => () => {},
})

test('a permission on one resource is asked for when the request names it', () => {
  const desk: Caller = { person: { ...ada.person, id: 'desk' } as Caller['person'] & object }
  const bot: Caller = { person: { ...desk.person, kind: 'service_account' } as Caller['person'] & object }
  for (const [caller, own] of [
    [desk, true],
    [bot, false],
  ] as const) {
    const rule = compileAccess(UserService.method.getUser)
    assert.equal(rule.decide(caller, onOne('7')), 'own')
    assert.equal(rule.owns(caller, create(GetUserRequestSchema, { id: '7' }), onOne('7')), true)
    assert.equal(rule.owns(caller, create(GetUserRequestSchema, { id: '8' }), onOne('7')), false)
    assert.equal(rule.owns(caller, create(GetUserRequestSchema, { id: 'desk' }), onOne('7')), own)
  }
  assert.equal(compileAccess(UserService.method.suspendUser).decide(desk, onOne('7')), 'own')
  assert.equal(compileAccess(UserService.method.listUsers).decide(desk, onOne('7')), 'denied', 'a list is about no one person')
  assert.equal(compileAccess(UserService.method.suspendUser).decide(desk), 'denied', 'the claim knows no resources')
  assert.equal(compileAccess(UserService.method.getUser).decide({ ...desk, workload: 'nobody' }, onOne('7')), 'own')
  assert.equal(compileAccess(UserService.method.suspendUser).decide({ ...desk, workload: 'billing' }, onOne('7')), 'denied')
})
