import {
  create,
  createFileRegistry,
  type DescMessage,
  type DescMethodUnary,
  type DescService,
  type Message,
  setExtension,
} from '@bufbuild/protobuf'
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldOptionsSchema,
  FileDescriptorProtoSchema,
  MethodOptions_IdempotencyLevel,
  MethodOptionsSchema,
} from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import { FieldRulesSchema, field } from '@gatehouse/contracts/buf/validate/validate_pb'
import { AccessSchema, access, Limit_By, LimitSchema, limits } from '@gatehouse/contracts/gatehouse/options/v1/options_pb'

/** What is echoed. */
export type EchoMessage = Message & { id: string; text: string }

/** How many calls with one text the burst RPC lets pass: no number of full batches, so that one of them crosses it and has to part its calls. */
export const burstLimit = 1037
// Years, so that no run sees the next window begin; and more calls than any run makes.
const windowSeconds = 365 * 86_400
const never = 1_000_000_000

// No RPC of the contract only echoes, so these are put together as protoc would read them from a file: a UUID, a bounded text, people only, no limit.
// The second service is the same with limits by the text.
const file = create(FileDescriptorProtoSchema, {
  name: 'gatehouse/bench/v1/echo_service.proto',
  package: 'gatehouse.bench.v1',
  syntax: 'proto3',
  messageType: ['EchoRequest', 'EchoResponse'].map((name) => ({
    name,
    field: [
      fieldOf('id', 1, { type: { case: 'string', value: { wellKnown: { case: 'uuid', value: true } } } }),
      fieldOf('text', 2, { type: { case: 'string', value: { minLen: 1n, maxLen: 200n } } }),
    ],
  })),
  service: [
    { name: 'EchoService', method: [methodOf('Echo')] },
    { name: 'LimitedEchoService', method: [methodOf('Burst', burstLimit), methodOf('Counted', never)] },
  ],
})

function fieldOf(name: string, number: number, rules: Parameters<typeof create<typeof FieldRulesSchema>>[1]) {
  const options = create(FieldOptionsSchema)
  setExtension(options, field, create(FieldRulesSchema, rules))
  return { name, number, jsonName: name, type: FieldDescriptorProto_Type.STRING, label: FieldDescriptorProto_Label.OPTIONAL, options }
}

function methodOf(name: string, limit?: number) {
  const options = create(MethodOptionsSchema, { idempotencyLevel: MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS })
  setExtension(options, access, create(AccessSchema, { signedIn: true }))
  if (limit !== undefined)
    setExtension(options, limits, [
      create(LimitSchema, { by: Limit_By.FIELD, field: 'text', count: limit, window: { seconds: BigInt(windowSeconds) } }),
    ])
  return { name, inputType: '.gatehouse.bench.v1.EchoRequest', outputType: '.gatehouse.bench.v1.EchoResponse', options }
}

const registry = createFileRegistry(file, () => undefined)

function serviceOf(name: string): DescService {
  const service = registry.getService(`gatehouse.bench.v1.${name}`)
  if (!service) throw new Error(`${name} is not in its own file`)
  return service
}

/** The service whose one RPC answers what it was asked. */
export const EchoService = serviceOf('EchoService')
/** Two RPCs that do the same and declare a limit: one that a run exhausts, and one that no run does. */
export const LimitedEchoService = serviceOf('LimitedEchoService')
/** Its RPC. */
export const echo = EchoService.methods[0] as DescMethodUnary<DescMessage, DescMessage>
/** Path of the RPC on both doors. */
export const echoPath = `/${EchoService.typeName}/${echo.name}`
/** Path of the RPC whose limit no run exhausts. */
export const countedEchoPath = `/${LimitedEchoService.typeName}/Counted`

let served = 0

/** How often this process has echoed. */
export const echoesServed = (): number => served

/** The answer to a request: the same again. */
export function echoed(request: Message): Message {
  served++
  const { id, text } = request as EchoMessage
  return create(echo.output, { id, text } as Record<string, unknown>)
}

/** A request. */
export function echoRequest(id: string, text: string): Message {
  return create(echo.input, { id, text } as Record<string, unknown>)
}

/** The service as Connect takes it. */
export const echoImplementation = { echo: async (request: Message) => echoed(request) } as object as Partial<ServiceImpl<DescService>>

/** The limited one. */
export const limitedEchoImplementation = {
  burst: async (request: Message) => echoed(request),
  counted: async (request: Message) => echoed(request),
} as object as Partial<ServiceImpl<DescService>>
