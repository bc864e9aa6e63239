import { create, fromBinary, type Message, toBinary } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { UserInvitedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import {
  type CreateUserRequest,
  CreateUserRequestSchema,
  CreateUserResponseSchema,
} from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js'
import pg from 'pg'
import { answerParent, type CommonActs } from './answer-parent.ts'

/**
 * CreateUser as one would write it by hand with grpc-js and pg: a person and its event in the outbox. No identity, no access, no rules, no promise
 * about repeated requests, and nobody who publishes.
 */
export interface CreateUserByHandActs extends CommonActs {
  /** `transaction` sends begin, two INSERTs and commit, `statement` one INSERT with a CTE. Answers its port. */
  listen(options: { readonly databaseUrl: string; readonly by: 'transaction' | 'statement' }): Promise<number>
}

interface Row {
  readonly id: string
  readonly version: string
  readonly create_time: Date
  readonly update_time: Date
}

type Insert = (user: readonly unknown[], event: readonly unknown[]) => Promise<Row | undefined>

const insertUser = `insert into users (tenant, id, state, email, email_key, email_verified, name, name_key, locale)
  values ($1, $2, 'invited', $3, $4, false, $5, $6, $7) on conflict do nothing returning id, version, create_time, update_time`
const eventColumns = 'tenant, id, type, subject, key, version, payload, traceparent'

answerParent<Omit<CreateUserByHandActs, 'usage'>>({
  async listen({ databaseUrl, by }) {
    const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 })
    const insert = by === 'transaction' ? inTransaction(pool) : inStatement(pool)
    const server = new Server()
    const definition = {
      createUser: {
        path: '/gatehouse.user.v1.UserService/CreateUser',
        requestStream: false as const,
        responseStream: false as const,
        requestSerialize: (message: CreateUserRequest) => Buffer.from(toBinary(CreateUserRequestSchema, message)),
        requestDeserialize: (bytes: Buffer) => fromBinary(CreateUserRequestSchema, bytes),
        responseSerialize: (message: Message) => {
          const bytes = toBinary(CreateUserResponseSchema, message as never)
          return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        },
        responseDeserialize: (bytes: Buffer) => fromBinary(CreateUserResponseSchema, bytes),
      },
    }
    server.addService(definition, {
      createUser(call: ServerUnaryCall<CreateUserRequest, Message>, callback: sendUnaryData<Message>) {
        const { name, email, locale } = call.request
        const id = uuidv7()
        const [traceparent = null] = call.metadata.get('traceparent')
        const user = ['default', id, email, email.toLowerCase(), name, name.toLowerCase(), locale || 'en']
        const payload = Buffer.from(toBinary(UserInvitedSchema, create(UserInvitedSchema, { userId: id, version: 1n })))
        const event = [
          'default',
          uuidv7(),
          UserInvitedSchema.typeName,
          `${UserInvitedSchema.typeName}.default`,
          id,
          1,
          payload,
          traceparent,
        ]
        insert(user, event).then(
          (row) =>
            row
              ? callback(null, responseOf(row, call.request))
              : callback({ code: status.ALREADY_EXISTS, details: 'the address is taken' }),
          (error: Error) => callback({ code: status.INTERNAL, details: error.message }),
        )
      },
    })
    return new Promise((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port)))
    })
  },
})

function inTransaction(pool: pg.Pool): Insert {
  const insertEvent = `insert into outbox (${eventColumns}) values ($1, $2, $3, $4, $5, $6, $7, $8)`
  return async (user, event) => {
    const client = await pool.connect()
    try {
      await client.query('begin')
      const { rows } = await client.query<Row>({ name: 'user', text: insertUser, values: [...user] })
      if (rows.length === 1) await client.query({ name: 'event', text: insertEvent, values: [...event] })
      await client.query('commit')
      return rows[0]
    } finally {
      client.release()
    }
  }
}

function inStatement(pool: pg.Pool): Insert {
  const text = `with made as (${insertUser}),
    told as (insert into outbox (${eventColumns}) select $8, $9, $10, $11, $12, $13, $14, $15 from made)
    select * from made`
  return async (user, event) => (await pool.query<Row>({ name: 'both', text, values: [...user, ...event] })).rows[0]
}

function uuidv7(): string {
  const time = Date.now().toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${crypto.randomUUID().slice(15)}`
}

function responseOf(row: Row, { name, email, locale }: CreateUserRequest): Message {
  const version = BigInt(row.version)
  return create(CreateUserResponseSchema, {
    user: {
      id: row.id,
      createTime: timestampFromDate(row.create_time),
      updateTime: timestampFromDate(row.update_time),
      etag: `v${version.toString(36)}`,
      email,
      name,
      locale: locale || 'en',
      state: User_State.INVITED,
      version,
    },
  })
}
