import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { SignInRequestSchema, SignInResponseSchema } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { Client, credentials } from '@grpc/grpc-js'
import { grpcPort } from './cluster-for-tests.ts'

/** The same calls by a channel as grpc-js makes it, with its round_robin and its own look at names. */
export class PlainCaller implements AsyncDisposable {
  /** Who answered, in the order of the answers. */
  readonly answers: string[] = []
  readonly #client: Client
  readonly #timer: NodeJS.Timeout

  constructor(name: string, everyMs = 20) {
    this.#client = new Client(`dns:///${name}:${grpcPort}`, credentials.createInsecure(), {
      'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
      'grpc.service_config_disable_resolution': 1,
    })
    const request = create(SignInRequestSchema, { email: 'ada@example.com', password: 'x' })
    this.#timer = setInterval(() => {
      this.#client.makeUnaryRequest(
        '/gatehouse.auth.v1.SessionService/SignIn',
        (message: typeof request) => Buffer.from(toBinary(SignInRequestSchema, message)),
        (bytes: Buffer) => fromBinary(SignInResponseSchema, bytes),
        request,
        { deadline: Date.now() + 1000 },
        (_, answer) => {
          if (answer?.result.case === 'signedIn') this.answers.push(answer.result.value.accessToken)
        },
      )
    }, everyMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    this.#client.close()
  }
}
