import { touchSession as writeTouch } from '../../../store/sessions.ts'
import type { Deps } from '../../deps.ts'
import { policyOf } from '../../policies/policy-of.ts'
import { endsOf, lifetimesIn } from '../../policies/session-lifetimes.ts'
import type { BrowserSession } from '../oidc-parts.ts'

/** So often at most is the use of a session written down. */
const EVERY_MS = 60_000

/** To sign in to another program is a use of the session, as a refresh is: whoever works there all day is not signed out for idleness. What programs do without the browser is none. */
export async function touchSession(
  deps: Pick<Deps, 'db' | 'batches' | 'lifetimes' | 'now'>,
  tenant: string,
  session: Pick<BrowserSession, 'id' | 'createTime' | 'lastUseTime'>,
): Promise<void> {
  const now = deps.now()
  const unused = now - EVERY_MS
  if (session.lastUseTime.getTime() > unused) return
  const { idle_expire_time } = endsOf(lifetimesIn(await policyOf(deps, tenant)), session.createTime, now)
  await writeTouch(deps.db, { tenant, id: session.id }, { time: new Date(now), idle_expire_time, unusedSince: new Date(unused) })
}
