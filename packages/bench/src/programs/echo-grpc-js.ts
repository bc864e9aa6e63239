import { fromBinary, type Message, toBinary } from '@bufbuild/protobuf'
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js'
import { echo, echoed, echoesServed, echoPath } from '../echo-contract.ts'
import { answerParent, type EchoPeerActs } from './answer-parent.ts'

answerParent<Omit<EchoPeerActs, 'usage'>>({
  served: async () => echoesServed(),
  async listen() {
    const server = new Server()
    const definition = {
      echo: {
        path: echoPath,
        requestStream: false as const,
        responseStream: false as const,
        requestSerialize: (message: Message) => Buffer.from(toBinary(echo.input, message)),
        requestDeserialize: (bytes: Buffer) => fromBinary(echo.input, bytes),
        responseSerialize: (message: Message) => {
          const bytes = toBinary(echo.output, message)
          return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        },
        responseDeserialize: (bytes: Buffer) => fromBinary(echo.output, bytes),
      },
    }
    server.addService(definition, {
      echo(call: ServerUnaryCall<Message, Message>, callback: sendUnaryData<Message>) {
        callback(null, echoed(call.request))
      },
    })
    return new Promise((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port)))
    })
  },
})
