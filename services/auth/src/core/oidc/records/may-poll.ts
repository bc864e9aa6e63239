import { notePoll, recordExists } from '../../../store/oidc/single-use.ts'
import type { Deps } from '../../deps.ts'
import { recordHash } from './record-hash.ts'

/** How long a device waits between two questions (RFC 8628, 3.2). */
export const pollIntervalSeconds = 5

/** Whether a device may ask about its code now. About an unknown one it may: it is told so. */
export async function mayPoll(deps: Pick<Deps, 'db' | 'now'>, tenant: string, deviceCode: string): Promise<boolean> {
  const now = deps.now()
  const hash = recordHash(deviceCode)
  const notSince = new Date(now - pollIntervalSeconds * 1000)
  return (
    (await notePoll(deps.db, { tenant, hash, now: new Date(now), notSince })) ||
    !(await recordExists(deps.db, { tenant, hash, kind: 'DeviceCode' }))
  )
}
