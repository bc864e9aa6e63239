import type { ServiceImpl } from '@connectrpc/connect'
import type { AuditService } from '@gatehouse/contracts/gatehouse/auth/v1/audit_service_pb'
import { callOf } from '@gatehouse/rpc'
import { exportEntries } from '../core/audit/export-entries.ts'
import { listEntries, pageOfCheckpoints } from '../core/audit/list-entries.ts'
import { Readers } from '../core/audit/readers.ts'
import { verifyRange } from '../core/audit/verify-range.ts'
import { watchEntries } from '../core/audit/watch-entries.ts'
import type { Deps } from '../core/deps.ts'
import { toEntry, toFilter, toVerified } from './audit-messages.ts'

/** What was done in the tenant, and what was refused. */
export function auditService(deps: Pick<Deps, 'db'>) {
  const readers = new Readers()
  return {
    async listAuditEntries({ filter, pageSize, pageToken }, context) {
      const { tenant } = callOf(context)
      const { entries, nextPageToken } = await listEntries(deps, { tenant, filter: toFilter(filter), pageSize, pageToken })
      return { entries: entries.map(toEntry), nextPageToken }
    },
    async *watchAuditEntries({ filter, cursor }, context) {
      const { tenant, signal } = callOf(context)
      using _reader = readers.enter()
      for await (const told of watchEntries(deps, { tenant, filter: toFilter(filter), cursor, signal }))
        yield { entries: told.entries.map(toEntry), cursor: told.cursor }
    },
    async *exportAuditEntries({ filter }, context) {
      const { tenant, signal } = callOf(context)
      using _reader = readers.enter()
      for await (const lines of exportEntries(deps, { tenant, filter: toFilter(filter), signal })) yield { ndjson: Buffer.from(lines) }
    },
    async listAuditCheckpoints({ pageSize, pageToken }, context) {
      return await pageOfCheckpoints(deps, { tenant: callOf(context).tenant, pageSize, pageToken })
    },
    async verifyAudit({ fromPosition: from, untilPosition: until, checkpoints: kept, cursor }, context) {
      const { tenant, signal } = callOf(context)
      return toVerified(await verifyRange(deps.db, { tenant, from, until, kept, cursor, signal }))
    },
  } satisfies ServiceImpl<typeof AuditService>
}
