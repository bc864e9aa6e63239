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
import { AccessSchema, access } from '@gatehouse/contracts/gatehouse/options/v1/options_pb'

/** What is echoed. */
export type EchoMessage = Message & { id: string; text: string }

// No RPC of the contract only echoes, so this one is put together as protoc would read it from a file: a UUID, a bounded text, people only, no limit.
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
    {
      name: 'EchoService',
      method: [
        {
          name: 'Echo',
          inputType: '.gatehouse.bench.v1.EchoRequest',
          outputType: '.gatehouse.bench.v1.EchoResponse',
          options: methodOptions(),
        },
      ],
    },
  ],
})

function fieldOf(name: string, number: number, rules: Parameters<typeof create<typeof FieldRulesSchema>>[1]) {
  const options = create(FieldOptionsSchema)
  setExtension(options, field, create(FieldRulesSchema, rules))
  return { name, number, jsonName: name, type: FieldDescriptorProto_Type.STRING, label: FieldDescriptorProto_Label.OPTIONAL, options }
}

function methodOptions() {
  const options = create(MethodOptionsSchema, { idempotencyLevel: MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS })
  setExtension(options, access, create(AccessSchema, { signedIn: true }))
  return options
}

function serviceOf(): DescService {
  const service = createFileRegistry(file, () => undefined).getService('gatehouse.bench.v1.EchoService')
  if (!service) throw new Error('the echo service is not in its own file')
  return service
}

/** The service whose one RPC answers what it was asked. */
export const EchoService = serviceOf()
/** Its RPC. */
export const echo = EchoService.methods[0] as DescMethodUnary<DescMessage, DescMessage>
/** Path of the RPC on both doors. */
export const echoPath = `/${EchoService.typeName}/${echo.name}`

/** The answer to a request: the same again. */
export function echoed(request: Message): Message {
  const { id, text } = request as EchoMessage
  return create(echo.output, { id, text } as Record<string, unknown>)
}

/** A request. */
export function echoRequest(id: string, text: string): Message {
  return create(echo.input, { id, text } as Record<string, unknown>)
}

/** The service as Connect takes it. */
export const echoImplementation = { echo: async (request: Message) => echoed(request) } as object as Partial<ServiceImpl<DescService>>
