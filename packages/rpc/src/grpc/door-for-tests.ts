import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { DescService } from '@bufbuild/protobuf'
import type { ServiceImpl } from '@connectrpc/connect'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { InboxService } from '@gatehouse/contracts/gatehouse/notification/v1/inbox_service_pb'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { type Person, TokenInvalid } from '@gatehouse/identity'
import { createPipeline, type PipelineOptions } from '../pipeline.ts'
import { createGrpcDoor, type GrpcDoor, type GrpcDoorOptions } from './grpc-door.ts'

export const ADA = '0190a0de-0000-7000-8000-000000000001'
export const BOB = '0190a0de-0000-7000-8000-000000000002'

/** Calls with the access token of one of `people`. */
export const AS_ADA = { headers: { authorization: 'Bearer ada' } }

/** Waits until `holds`, for five seconds at most. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 5000
  while (!(await holds())) {
    assert.ok(Date.now() < end, 'in five seconds')
    await delay(5)
  }
}

/** A person for tests; the token that names one is `<name>@<tenant>`. */
export function personFor(id: string, changes: Partial<Person> = {}): Person {
  return {
    kind: 'person',
    id,
    tenant: 'default',
    generation: 0,
    strength: 1,
    authTime: Date.now(),
    sessionId: 's1',
    clientId: 'console',
    permissions: new Set(),
    expireTime: Date.now() + 600_000,
    ...changes,
  }
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

export interface TestDoor extends AsyncDisposable {
  readonly door: GrpcDoor
  readonly url: string
  readonly log: LogLine[]
  /** Who comes with which access token; tests add and remove. */
  readonly people: Map<string, Person>
}

export interface TestDoorParts {
  readonly user?: Partial<ServiceImpl<typeof UserService>>
  readonly session?: Partial<ServiceImpl<typeof SessionService>>
  readonly inbox?: Partial<ServiceImpl<typeof InboxService>>
  /** Services beside these three. */
  readonly more?: readonly (readonly [DescService, object])[]
  readonly pipeline?: Partial<PipelineOptions>
  readonly door?: Partial<GrpcDoorOptions>
}

/** Implements every method of a service, those that a test does not give by a failure. */
export function complete<Impl extends object>(methods: Readonly<Record<string, unknown>>, given: Impl | undefined): Impl {
  const unused = (): never => {
    throw new TypeError('This handler is not part of the test')
  }
  return { ...Object.fromEntries(Object.keys(methods).map((name) => [name, unused])), ...given } as Impl
}

/** A gRPC door over real contracts with handlers of a test. Workload tokens are the workloads' names; `forged` is none. */
export async function openTestDoor(parts: TestDoorParts = {}): Promise<TestDoor> {
  const log: LogLine[] = []
  const line = (level: LogLine['level']) => (fields: object, message: string) => void log.push({ level, message, fields: { ...fields } })
  const logger = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
  const people = new Map<string, Person>([
    ['ada', personFor(ADA)],
    ['bob', personFor(BOB)],
    ['ada-of-acme', personFor(ADA, { tenant: 'acme' })],
    ['admin', personFor(BOB, { permissions: new Set(['user.users.read', 'user.users.create', 'user.users.update']) })],
    ['robot', personFor(BOB, { kind: 'service_account', sessionId: '', permissions: new Set(['user.users.read']) })],
  ])
  const pipeline = createPipeline({
    service: 'user',
    log: logger,
    limits: { take: async () => ({ allowed: true }) },
    accessTokens: {
      async verify(token) {
        const person = people.get(token)
        if (person === undefined) throw new TokenInvalid('unknown')
        return person
      },
    },
    workloads: {
      async verify(token) {
        if (token === 'forged') throw new TokenInvalid('forged')
        return token
      },
    },
    tenantOfHost: () => undefined,
    strict: true,
    ...parts.pipeline,
  })
  const door = await createGrpcDoor({
    service: 'user',
    services: [
      pipeline.guard(UserService, complete(UserService.method, parts.user)),
      pipeline.guard(SessionService, complete(SessionService.method, parts.session)),
      pipeline.guard(InboxService, complete(InboxService.method, parts.inbox)),
      ...(parts.more ?? []).map(([service, impl]) => pipeline.guard(service, impl)),
    ],
    host: '127.0.0.1',
    port: 0,
    log: logger,
    ...parts.door,
  })
  return { door, url: `127.0.0.1:${door.port}`, log, people, [Symbol.asyncDispose]: () => door.drain(1000) }
}
