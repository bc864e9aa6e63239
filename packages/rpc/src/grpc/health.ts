import { create, fromBinary, type Message } from '@bufbuild/protobuf'
import {
  Health,
  type HealthCheckRequest,
  HealthCheckRequestSchema,
  type HealthCheckResponse,
  HealthCheckResponseSchema,
  HealthListResponseSchema,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '@gatehouse/contracts/grpc/health/v1/health_pb'
import { type Server, type ServerUnaryCall, type ServerWritableStream, status as Status, type sendUnaryData } from '@grpc/grpc-js'
import { definitionOf } from './serve-service.ts'

/** `grpc.health.v1.Health` of a door: every service it serves, and the door itself under the empty name, have one state. */
export interface DoorHealth {
  setServing(serving: boolean): void
}

/** Adds the health service to a server. Everybody may ask: an orchestrator has no credentials. */
export function addHealth(server: Server, services: readonly string[]): DoorHealth {
  const known = new Set(['', ...services])
  const watchers = new Set<() => void>()
  let serving = true
  const answer = (): HealthCheckResponse =>
    create(HealthCheckResponseSchema, { status: serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING })

  server.addService(definitionOf(Health), {
    Check(call: ServerUnaryCall<Buffer, Message>, callback: sendUnaryData<Message>) {
      const request = read(call.request)
      if (request === undefined) callback({ code: Status.INVALID_ARGUMENT, details: 'The request body cannot be decoded.' })
      else if (!known.has(request.service)) callback({ code: Status.NOT_FOUND, details: 'There is no such service.' })
      else callback(null, answer())
    },
    List(_call: ServerUnaryCall<Buffer, Message>, callback: sendUnaryData<Message>) {
      callback(null, create(HealthListResponseSchema, { statuses: Object.fromEntries([...known].map((name) => [name, answer()])) }))
    },
    Watch(call: ServerWritableStream<Buffer, Message>) {
      const request = read(call.request)
      if (request === undefined) {
        call.emit('error', { code: Status.INVALID_ARGUMENT, details: 'The request body cannot be decoded.' })
        return
      }
      const tell = () => {
        call.write(known.has(request.service) ? answer() : create(HealthCheckResponseSchema, { status: ServingStatus.SERVICE_UNKNOWN }))
        // Nothing changes any more after a drain, and a watcher would hold it up.
        if (!serving) call.end()
      }
      watchers.add(tell)
      call.once('cancelled', () => watchers.delete(tell))
      tell()
    },
  })

  return {
    setServing(value) {
      if (serving === value) return
      serving = value
      for (const tell of watchers) tell()
    },
  }
}

function read(bytes: Buffer): HealthCheckRequest | undefined {
  try {
    return fromBinary(HealthCheckRequestSchema, bytes)
  } catch {
    return undefined
  }
}
