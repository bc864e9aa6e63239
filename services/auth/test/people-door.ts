import type { HandlerContext, ServiceImpl } from '@connectrpc/connect'
import { ErrorReason, ErrorReasonSchema } from '@gatehouse/contracts/gatehouse/user/v1/error_reason_pb'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { createAccessTokenVerifier, createWorkloadVerifier, followIssuers, type IssuerRecord, tenantHeader } from '@gatehouse/identity'
import { callOf, createGrpcDoor, createPipeline, reasonOf, refusals } from '@gatehouse/rpc'
import { type PeopleStandIn, standInForPeople } from './people-stand-in.ts'

/** The stand-in for the user service behind a real gRPC door, which lets in whom the contract says. */
export interface PeopleDoor extends AsyncDisposable {
  readonly port: number
  readonly people: PeopleStandIn
}

const refuse = refusals(ErrorReasonSchema)
const log = { debug() {}, info() {}, warn() {}, error() {} }

/** @param issuers whose tokens it believes; asked again for unknown keys. */
export async function openPeopleDoor(jwksFile: string, issuers: () => Promise<readonly IssuerRecord[]>): Promise<PeopleDoor> {
  await using parts = new AsyncDisposableStack()
  const people = standInForPeople()
  const followed = parts.use(followIssuers(issuers, { cooldownMs: 0 }))
  const pipeline = createPipeline({
    service: 'user',
    accessTokens: createAccessTokenVerifier({ audience: 'gatehouse', issuers: followed }),
    workloads: createWorkloadVerifier({ self: 'user', jwksFile }),
    tenantOfHost: () => undefined,
    limits: { take: async () => ({ allowed: true }) },
    log,
  })
  const { users } = people
  const about = (context: HandlerContext) => ({ headers: { [tenantHeader]: callOf(context).tenant } })
  const service: Partial<ServiceImpl<typeof UserService>> = {
    resolveUser: (request, context) => refusing(users.resolveUser(request, about(context))),
    batchGetUsers: (request, context) => refusing(users.batchGetUsers(request, about(context))),
    registerUser: (request, context) => refusing(users.registerUser(request, about(context))),
    activateUser: (request, context) => refusing(users.activateUser(request, about(context))),
    changeUserEmail: (request, context) => refusing(users.changeUserEmail(request, about(context))),
    createUser: (request, context) => refusing(users.createUser(request, about(context))),
  }
  const rest = UserService.methods.map(({ localName }) => [localName, () => Promise.reject(new TypeError('not part of the stand-in'))])
  const methods = pipeline.guard(UserService, { ...Object.fromEntries(rest), ...service })
  const door = parts.use(await createGrpcDoor({ service: 'user', services: [methods], host: '127.0.0.1', port: 0, log }))
  const owned = parts.move()
  return { port: door.port, people, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

async function refusing<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    const reason = ErrorReason[reasonOf(error) as keyof typeof ErrorReason]
    throw reason === undefined ? error : refuse(reason)
  }
}
