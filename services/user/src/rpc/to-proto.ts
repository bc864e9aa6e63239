import { create } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { type User, User_State, UserSchema } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { etagOf } from '../core/etag.ts'
import type { Page } from '../core/page.ts'
import type { Told } from '../core/watch/watch-users.ts'
import type { UserState } from '../store/schema.ts'
import type { UserRow } from '../store/users.ts'

const states: Record<UserState, User_State> = {
  invited: User_State.INVITED,
  active: User_State.ACTIVE,
  suspended: User_State.SUSPENDED,
  deleted: User_State.DELETED,
}

export const toUser = (row: UserRow): User =>
  create(UserSchema, {
    id: row.id,
    createTime: timestampFromDate(row.create_time),
    updateTime: timestampFromDate(row.update_time),
    etag: etagOf(row),
    email: row.email ?? '',
    emailVerified: row.email_verified,
    name: row.name,
    locale: row.locale,
    timeZone: row.time_zone,
    state: states[row.state],
    version: row.version,
  })

export async function* toTold(messages: AsyncIterable<Told>): AsyncGenerator<{ users: User[]; cursor: string; snapshotComplete: boolean }> {
  for await (const { users, cursor, snapshotComplete } of messages) yield { users: users.map(toUser), cursor, snapshotComplete }
}

export const toPage = ({ users, nextPageToken }: Page): { users: User[]; nextPageToken: string } => ({
  users: users.map(toUser),
  nextPageToken,
})
