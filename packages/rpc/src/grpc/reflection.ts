import { create, type DescFile, type DescService, fromBinary, type Message } from '@bufbuild/protobuf'
import { file_google_rpc_error_details } from '@gatehouse/contracts/google/rpc/error_details_pb'
import {
  ServerReflection,
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from '@gatehouse/contracts/grpc/reflection/v1/reflection_pb'
import { ServerReflection as ServerReflectionAlpha } from '@gatehouse/contracts/grpc/reflection/v1alpha/reflection_pb'
import { type Server, type ServerDuplexStream, status as Status } from '@grpc/grpc-js'
import { type DescriptorIndex, indexDescriptors } from './descriptor-index.ts'
import { definitionOf } from './serve-service.ts'

/** Adds server reflection, v1 and v1alpha, so that generic clients need no proto files. */
export function addReflection(server: Server, services: readonly DescService[]): void {
  // Details of errors come as Any: who reflects wants to read them too.
  const index = indexDescriptors([...services.map(({ file }) => file), file_google_rpc_error_details, ServerReflection.file])
  const names = services.map(({ typeName }) => typeName).sort()
  const handlers = { ServerReflectionInfo: (call: ServerDuplexStream<Buffer, Message>) => reflect(call, index, names) }
  server.addService(definitionOf(ServerReflection), handlers)
  // The older version has the same bytes under another path.
  server.addService(definitionOf(ServerReflection, ServerReflectionAlpha.typeName), handlers)
}

function reflect(call: ServerDuplexStream<Buffer, Message>, index: DescriptorIndex, services: readonly string[]): void {
  call.on('data', (bytes: Buffer) => {
    let request: ServerReflectionRequest
    try {
      request = fromBinary(ServerReflectionRequestSchema, bytes)
    } catch {
      call.emit('error', { code: Status.INVALID_ARGUMENT, details: 'The request body cannot be decoded.' })
      return
    }
    const response = create(ServerReflectionResponseSchema, {
      validHost: request.host,
      originalRequest: request,
      messageResponse: answer(request, index, services),
    })
    // Whoever asks and does not read the answers has to wait.
    if (call.write(response)) return
    call.pause()
    call.once('drain', () => call.resume())
  })
  call.on('end', () => call.end())
  call.on('error', () => {})
}

type Answer = ServerReflectionResponse['messageResponse']

function answer({ messageRequest }: ServerReflectionRequest, index: DescriptorIndex, services: readonly string[]): Answer {
  switch (messageRequest.case) {
    case 'fileByFilename':
      return fileAnswer(index, index.fileNamed(messageRequest.value), messageRequest.value)
    case 'fileContainingSymbol':
      return fileAnswer(index, index.fileOfSymbol(messageRequest.value), messageRequest.value)
    case 'fileContainingExtension': {
      const { containingType, extensionNumber } = messageRequest.value
      return fileAnswer(index, index.fileOfExtension(containingType, extensionNumber), `${containingType}[${extensionNumber}]`)
    }
    case 'allExtensionNumbersOfType': {
      const numbers = index.extensionNumbers(messageRequest.value)
      if (numbers === undefined) return notFound(messageRequest.value)
      return create(ServerReflectionResponseSchema, {
        messageResponse: {
          case: 'allExtensionNumbersResponse',
          value: { baseTypeName: messageRequest.value, extensionNumber: [...numbers] },
        },
      }).messageResponse
    }
    case 'listServices':
      return create(ServerReflectionResponseSchema, {
        messageResponse: { case: 'listServicesResponse', value: { service: services.map((name) => ({ name })) } },
      }).messageResponse
    default:
      return problem(Status.INVALID_ARGUMENT, 'The request asks for nothing.')
  }
}

function fileAnswer(index: DescriptorIndex, file: DescFile | undefined, asked: string): Answer {
  if (file === undefined) return notFound(asked)
  return create(ServerReflectionResponseSchema, {
    messageResponse: { case: 'fileDescriptorResponse', value: { fileDescriptorProto: [...index.closure(file)] } },
  }).messageResponse
}

function notFound(asked: string): Answer {
  return problem(Status.NOT_FOUND, `${asked} is not known here.`)
}

function problem(errorCode: number, errorMessage: string): Answer {
  return create(ServerReflectionResponseSchema, { messageResponse: { case: 'errorResponse', value: { errorCode, errorMessage } } })
    .messageResponse
}
