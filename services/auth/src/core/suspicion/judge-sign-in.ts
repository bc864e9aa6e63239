import type { SeenBefore } from '../../store/seen-before.ts'
import type { SessionRow } from '../../store/sessions.ts'
import type { Db, Deps } from '../deps.ts'
import { type SuspicionName, sessionsOfMinute } from './suspicion-kinds.ts'
import { tellSuspicion } from './tell-suspicion.ts'

/** A session that was opened, and what was known before. */
export interface JudgedSignIn {
  readonly session: SessionRow
  readonly seen: SeenBefore
  /** Whether the person's own device token came along. */
  readonly deviceKnown: boolean
}

/** What of a sign-in is to be told; nothing of an ordinary one, of somebody's first, and of what was told a moment ago. */
export function suspicionsOf({ seen, deviceKnown }: JudgedSignIn): (readonly [SuspicionName, ...SuspicionName[]])[] {
  const isNewDevice = !seen.first && !deviceKnown
  const place: SuspicionName[] = [...(isNewDevice ? (['new_device'] as const) : []), ...(seen.newNetwork ? (['new_network'] as const) : [])]
  const [one, ...other] = place
  return [
    ...(one !== undefined && !seen.told.includes('new_place') ? [[one, ...other] as const] : []),
    ...(seen.lately >= sessionsOfMinute && !seen.told.includes('impossible_rate') ? [['impossible_rate'] as const] : []),
  ]
}

/** Tells what is suspicious about a sign-in, within the caller's transaction. */
export async function judgeSignIn(tx: Db, deps: Pick<Deps, 'now'>, signIn: JudgedSignIn): Promise<void> {
  const { session } = signIn
  const { tenant, user_id: userId, id: sessionId } = session
  for (const kinds of suspicionsOf(signIn)) await tellSuspicion(tx, deps, { tenant, kinds, userId, sessionId, mail: true, seen: session })
}
