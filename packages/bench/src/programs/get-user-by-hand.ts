import { create, fromBinary, type Message, toBinary } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { type GetUserRequest, GetUserRequestSchema, GetUserResponseSchema } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js'
import pg from 'pg'
import { answerParent, type CommonActs } from './answer-parent.ts'

/** GetUser as one would write it by hand with grpc-js and pg: no identity, no access, no rules, no metrics. */
export interface GetUserByHandActs extends CommonActs {
  /** With `batching`, the reads of a turn of the event loop go out as one statement. Answers its port. */
  listen(options: { readonly databaseUrl: string; readonly batching: boolean }): Promise<number>
}

interface Row {
  readonly id: string
  readonly version: string
  readonly state: string
  readonly email: string
  readonly email_verified: boolean
  readonly name: string
  readonly locale: string
  readonly time_zone: string
  readonly create_time: Date
  readonly update_time: Date
}

type Load = (tenant: string, id: string) => Promise<Row | undefined>

const columns = 'id, version, state, email, email_verified, name, locale, time_zone, create_time, update_time'
const states: Readonly<Record<string, User_State>> = { invited: User_State.INVITED, active: User_State.ACTIVE }

answerParent<Omit<GetUserByHandActs, 'usage'>>({
  async listen({ databaseUrl, batching }) {
    const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 })
    const load = batching ? batchedLoad(pool) : preparedLoad(pool)
    const server = new Server()
    const definition = {
      getUser: {
        path: '/gatehouse.user.v1.UserService/GetUser',
        requestStream: false as const,
        responseStream: false as const,
        requestSerialize: (message: GetUserRequest) => Buffer.from(toBinary(GetUserRequestSchema, message)),
        requestDeserialize: (bytes: Buffer) => fromBinary(GetUserRequestSchema, bytes),
        responseSerialize: (message: Message) => {
          const bytes = toBinary(GetUserResponseSchema, message as never)
          return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        },
        responseDeserialize: (bytes: Buffer) => fromBinary(GetUserResponseSchema, bytes),
      },
    }
    server.addService(definition, {
      getUser(call: ServerUnaryCall<GetUserRequest, Message>, callback: sendUnaryData<Message>) {
        const [tenant] = call.metadata.get('gatehouse-tenant')
        load(String(tenant), call.request.id).then(
          (row) => (row ? callback(null, responseOf(row)) : callback({ code: status.NOT_FOUND, details: 'nobody' })),
          (error: Error) => callback({ code: status.INTERNAL, details: error.message }),
        )
      },
    })
    return new Promise((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port)))
    })
  },
})

function preparedLoad(pool: pg.Pool): Load {
  const text = `select ${columns} from users where tenant = $1 and id = $2`
  return async (tenant, id) => (await pool.query<Row>({ name: 'get', text, values: [tenant, id] })).rows[0]
}

function batchedLoad(pool: pg.Pool): Load {
  const text = `select ${columns} from users where tenant = $1 and id = any($2)`
  let waiting = new Map<string, ((row: Row | undefined) => void)[]>()
  const send = async (tenant: string): Promise<void> => {
    const batch = waiting
    waiting = new Map()
    const { rows } = await pool.query<Row>({ name: 'batch', text, values: [tenant, [...batch.keys()]] })
    const found = new Map(rows.map((row) => [row.id, row]))
    for (const [id, callers] of batch) for (const settle of callers) settle(found.get(id))
  }
  return (tenant, id) =>
    new Promise((resolve) => {
      if (waiting.size === 0) setImmediate(() => void send(tenant))
      const callers = waiting.get(id)
      if (callers) callers.push(resolve)
      else waiting.set(id, [resolve])
    })
}

function responseOf(row: Row): Message {
  const version = BigInt(row.version)
  return create(GetUserResponseSchema, {
    user: {
      id: row.id,
      createTime: timestampFromDate(row.create_time),
      updateTime: timestampFromDate(row.update_time),
      etag: `v${version.toString(36)}`,
      email: row.email,
      emailVerified: row.email_verified,
      name: row.name,
      locale: row.locale,
      timeZone: row.time_zone,
      state: states[row.state] ?? User_State.UNSPECIFIED,
      version,
    },
  })
}
