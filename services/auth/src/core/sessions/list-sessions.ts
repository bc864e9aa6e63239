import type { Session } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { decodePageToken, encodePageToken, PageTokenInvalid } from '@gatehouse/postgres'
import { validate as isUuid } from 'uuid'
import { listSessions as readSessions } from '../../store/sessions.ts'
import type { Deps } from '../deps.ts'
import { policyOf } from '../policies/policy-of.ts'
import { lifetimesIn } from '../policies/session-lifetimes.ts'
import { describeSession } from './describe-session.ts'

const defaultPageSize = 50

export interface ListSessionsInput {
  readonly tenant: string
  readonly userId: string
  readonly currentSessionId: string
  readonly pageSize: number
  readonly pageToken: string
}

/** A page of the person's sessions that have not ended, last used first. */
export async function listSessions(
  deps: Pick<Deps, 'db' | 'batches' | 'lifetimes' | 'now'>,
  input: ListSessionsInput,
): Promise<{ sessions: Session[]; nextPageToken: string }> {
  const scope = `sessions/${input.tenant}/${input.userId}`
  const limit = input.pageSize === 0 ? defaultPageSize : input.pageSize
  const after = startOf(decodePageToken(scope, input.pageToken))
  const { idleMs, absoluteMs } = lifetimesIn(await policyOf(deps, input.tenant))
  const now = deps.now()
  const rows = await readSessions(deps.db, {
    tenant: input.tenant,
    userId: input.userId,
    now: new Date(now),
    // What the policy has ended meanwhile is refreshed no more.
    usedAfter: new Date(now - idleMs),
    createdAfter: new Date(now - absoluteMs),
    limit: limit + 1,
    ...(after && { after }),
  })
  const page = rows.slice(0, limit)
  const last = rows.length > limit ? page.at(-1) : undefined
  return {
    sessions: page.map((row) => describeSession(row, input.currentSessionId)),
    nextPageToken: last ? encodePageToken(scope, [String(last.last_use_time.getTime()), last.id]) : '',
  }
}

/** A token is no secret: whoever makes one up gets a refusal, not an error of the database. */
function startOf(key: readonly string[] | undefined): { lastUseTime: Date; id: string } | undefined {
  if (key === undefined) return undefined
  const [lastUseMs = '', id = ''] = key
  if (!/^\d{1,15}$/.test(lastUseMs) || !isUuid(id)) throw new PageTokenInvalid('not a place in the list')
  return { lastUseTime: new Date(Number(lastUseMs)), id }
}
