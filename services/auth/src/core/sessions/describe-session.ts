import { create } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { type Session, SessionSchema } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { strengthOf } from '@gatehouse/identity'
import type { SessionRow } from '../../store/sessions.ts'

/** A session as its owner sees it. */
export function describeSession(row: SessionRow, currentSessionId: string): Session {
  return create(SessionSchema, {
    id: row.id,
    userId: row.user_id,
    createTime: timestampFromDate(row.create_time),
    lastUseTime: timestampFromDate(row.last_use_time),
    expireTime: timestampFromDate(row.expire_time),
    userAgent: row.user_agent,
    network: row.network,
    current: row.id === currentSessionId,
    strength: strengthOf(row.amr),
    authTime: timestampFromDate(row.auth_time),
    methods: row.amr,
  })
}
