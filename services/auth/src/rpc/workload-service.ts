import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import type { WorkloadService } from '@gatehouse/contracts/gatehouse/auth/v1/workload_service_pb'
import { callOf } from '@gatehouse/rpc'
import type { Deps } from '../core/deps.ts'
import { listWorkloads, readRegistry } from '../core/workloads/list-workloads.ts'
import { onlyByDefaultTenant, registerWorkload, unregisterWorkload } from '../core/workloads/register-workload.ts'
import type { WorkloadRow } from '../store/workloads.ts'
import { giverOf } from './giver-of.ts'

/** Who of other teams may call what. */
export function workloadService(deps: Deps) {
  return {
    async registerWorkload({ name, issuer, subject, audience, calls }, context) {
      const call = callOf(context)
      onlyByDefaultTenant(call.tenant)
      return { workload: workloadOf(await registerWorkload(deps, giverOf(call), { name, issuer, subject, audience, calls })) }
    },
    async listWorkloads({ pageSize, pageToken }, context) {
      onlyByDefaultTenant(callOf(context).tenant)
      const { rows, nextPageToken } = await listWorkloads(deps, { pageSize, pageToken })
      return { workloads: rows.map(workloadOf), nextPageToken }
    },
    async unregisterWorkload({ name }, context) {
      onlyByDefaultTenant(callOf(context).tenant)
      await unregisterWorkload(deps, name)
      return {}
    },
    async readRegistry(request) {
      const { version, unchanged, rows } = await readRegistry(deps, request.version)
      return { version, unchanged, workloads: rows.map(workloadOf) }
    },
  } satisfies ServiceImpl<typeof WorkloadService>
}

function workloadOf(row: WorkloadRow) {
  const { name, issuer, subject, audience, calls, create_time: createTime, update_time: updateTime } = row
  return {
    name,
    issuer,
    subject,
    audience,
    calls: [...calls],
    createTime: timestampFromDate(createTime),
    updateTime: timestampFromDate(updateTime),
  }
}
