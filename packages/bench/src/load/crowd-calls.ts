import { create, toBinary } from '@bufbuild/protobuf'
import {
  GetUserRequestSchema,
  ListUsersRequestSchema,
  SearchUsersRequestSchema,
} from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { encodePageToken } from '@gatehouse/postgres'
import { scatter, somebody } from '../crowd.ts'
import type { CallPlan } from './closed-loop.ts'
import type { Plans } from './grpc-connection.ts'

/** Calls about people of a crowd, by their numbers; a list also needs to know when they were created. */
export interface CrowdCalls {
  readonly rpc: 'GetUser' | 'ListUsers' | 'SearchUsers'
  readonly numbers: readonly number[]
  readonly times?: readonly Date[]
}

/** The calls, each made when its turn comes: kept all at once they would have the client's collector stop it for longer than a call takes. */
export function plansOf({ rpc, numbers, times = [] }: CrowdCalls): Plans {
  const makers: Record<CrowdCalls['rpc'], (number: number, at: number) => CallPlan> = {
    GetUser: getUser,
    ListUsers: (number, at) => listUsers(number, times[at] ?? new Date(0)),
    SearchUsers: searchUsers,
  }
  const make = makers[rpc]
  return { length: numbers.length, at: (index) => make(numbers[index] ?? 0, index) }
}

const nothing = new Uint8Array()

function getUser(number: number): CallPlan {
  const { id, email, name } = somebody(number)
  return {
    request: toBinary(GetUserRequestSchema, create(GetUserRequestSchema, { id })),
    answer: nothing,
    holds: [id, email, name].map((text) => Buffer.from(text)),
  }
}

/** The page behind a person: walking there page by page would take an hour, so its token is made here. */
function listUsers(number: number, created: Date): CallPlan {
  const pageToken = encodePageToken(JSON.stringify(['ListUsers', 'default', 'false']), [created.toISOString(), somebody(number).id])
  return {
    request: toBinary(ListUsersRequestSchema, create(ListUsersRequestSchema, { pageSize: 50, pageToken })),
    answer: nothing,
    holds: [Buffer.from('@crowd.example')],
  }
}

/** What somebody who looks for a person has typed so far: three letters at least. */
function searchUsers(number: number, at: number): CallPlan {
  const letters = Array.from(somebody(number).name)
  const query = letters.slice(0, 3 + (scatter(at) % Math.max(1, letters.length - 2))).join('')
  return {
    request: toBinary(SearchUsersRequestSchema, create(SearchUsersRequestSchema, { query, pageSize: 20 })),
    answer: nothing,
    holds: [Buffer.from(query.trimEnd())],
  }
}
