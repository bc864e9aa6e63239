import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { connectionEtag, kindOf, redirectUriOf, settingsOf } from '../core/connections/connection-content.ts'
import type { ShownIdentity } from '../core/connections/identities.ts'
import type { ConnectionRow } from '../store/connections/connections.ts'

/** A connection as administrators see it. */
export function connectionMessage(row: ConnectionRow, origin: string) {
  return {
    connectionId: row.connection_id,
    kind: kindOf(row.kind),
    issuer: row.issuer,
    settings: settingsOf(row),
    hasSecret: row.secret !== null,
    redirectUri: redirectUriOf(origin, row.connection_id),
    etag: connectionEtag(row),
    createTime: timestampFromDate(row.create_time),
    updateTime: timestampFromDate(row.update_time),
    ...(row.disable_time && { disableTime: timestampFromDate(row.disable_time) }),
  }
}

/** A way to sign in as strangers see it. */
export function signInMessage({ connection_id: connectionId, name, kind }: ConnectionRow, required = false) {
  return { connectionId, name, kind: kindOf(kind), required }
}

export function identityMessage({ row, connectionName }: ShownIdentity) {
  return {
    identityId: row.id,
    connectionId: row.connection_id,
    connectionName,
    email: row.email,
    ...(row.link_time && { linkTime: timestampFromDate(row.link_time) }),
    ...(row.last_use_time && { lastUseTime: timestampFromDate(row.last_use_time) }),
  }
}
