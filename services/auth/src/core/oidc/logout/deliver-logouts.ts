import { claimLogouts, closeLogout, type LogoutRow, noteLogoutProblem } from '../../../store/oidc/logouts.ts'
import type { Deps } from '../../deps.ts'
import type { RestingClients } from './resting-clients.ts'

/** Tells one client, or says that there is nobody to tell any more; throws what went wrong, to be tried again. */
export type TellLogout = (
  logout: Readonly<Record<'tenant' | 'sessionId' | 'clientId' | 'userId', string>>,
) => Promise<'delivered' | 'dropped'>

/** What becomes of an attempt. */
export type LogoutOutcome = 'delivered' | 'dropped' | 'failed' | 'given_up'

export interface Delivering {
  readonly tell: TellLogout
  readonly resting: RestingClients
  readonly count: (outcome: LogoutOutcome) => void
}

/** At once, so that none is due again before its attempt is over. */
export const logoutsAtOnce = 20

/** Tells clients what is due, and answers how many attempts that were. */
export async function deliverLogouts(deps: Pick<Deps, 'db' | 'now' | 'log'>, delivering: Delivering): Promise<number> {
  const now = deps.now()
  const claimed = await claimLogouts(deps.db, { now: new Date(now), limit: logoutsAtOnce, resting: delivering.resting.list(now) })
  await Promise.all(claimed.map(async (row) => delivering.count(await deliver(deps, delivering, row))))
  return claimed.length
}

async function deliver(deps: Pick<Deps, 'db' | 'now' | 'log'>, { tell, resting }: Delivering, row: LogoutRow): Promise<LogoutOutcome> {
  const { tenant, client_id: clientId, session_id: sessionId, user_id: userId } = row
  if (row.expire_time.getTime() <= deps.now()) {
    await closeLogout(deps.db, row, new Date(deps.now()))
    deps.log.warn({ tenant, client: clientId, attempts: row.attempts - 1 }, 'a client was not told that a session ended: given up')
    return 'given_up'
  }
  try {
    const outcome = await tell({ tenant, sessionId, clientId, userId })
    resting.awake({ tenant, clientId })
    await closeLogout(deps.db, row, new Date(deps.now()))
    return outcome
  } catch (error) {
    const problem = problemOf(error)
    if (resting.rest({ tenant, clientId }, deps.now()) === 1)
      deps.log.warn({ tenant, client: clientId, problem }, 'a client cannot be told that sessions ended, trying on')
    await noteLogoutProblem(deps.db, row, problem)
    return 'failed'
  }
}

const longestProblem = 200

/** For whoever looks into it: what the client answered, or why it did not. Nothing of its answer but the status. */
function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed'
  const { response, cause } = error as Error & { readonly response?: { readonly status: number } }
  if (response !== undefined) return `answered ${response.status}`
  if (error.name === 'TimeoutError' || (cause instanceof Error && cause.name === 'TimeoutError')) return 'timed out'
  const because = cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? cause.message) : ''
  return (because === '' ? error.message : `${error.message}: ${because}`).slice(0, longestProblem)
}
