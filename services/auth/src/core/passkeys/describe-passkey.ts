import { create } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { type Passkey, PasskeySchema } from '@gatehouse/contracts/gatehouse/auth/v1/passkey_service_pb'
import type { PasskeyRow } from '../../store/passkeys.ts'

/** A passkey as its owner sees it. */
export function describePasskey(row: PasskeyRow): Passkey {
  return create(PasskeySchema, {
    id: row.id,
    name: row.name,
    createTime: timestampFromDate(row.create_time),
    ...(row.last_use_time && { lastUseTime: timestampFromDate(row.last_use_time) }),
    backupEligible: row.backup_eligible,
    backedUp: row.backed_up,
  })
}
