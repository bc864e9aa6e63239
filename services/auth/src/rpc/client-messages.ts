import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import type { WholeClient } from '../core/oidc/clients/client-change.ts'
import { isRegistered, settingsOf } from '../core/oidc/clients/client-metadata.ts'
import { clientEtag } from '../core/oidc/clients/update-client.ts'
import type { ClientSecretRow } from '../store/oidc/client-secrets.ts'

/** A client as answers show it. */
export function clientMessage({ row, secrets }: WholeClient) {
  const { $typeName: _, ...settings } = settingsOf(row)
  return {
    ...settings,
    clientId: row.client_id,
    secrets: secrets.map(secretMessage),
    etag: clientEtag(row),
    registered: isRegistered(row),
    createTime: timestampFromDate(row.create_time),
    updateTime: timestampFromDate(row.update_time),
    ...(row.disable_time && { disableTime: timestampFromDate(row.disable_time) }),
  }
}

/** A secret without the secret itself. */
export function secretMessage({ id, hint, create_time: createTime, expire_time: expireTime }: ClientSecretRow) {
  return { id, hint, createTime: timestampFromDate(createTime), ...(expireTime && { expireTime: timestampFromDate(expireTime) }) }
}
