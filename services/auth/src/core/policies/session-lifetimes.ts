import { durationMs } from '@bufbuild/protobuf/wkt'
import type { SessionRow } from '../../store/sessions.ts'
import type { WholePolicy } from './policy-of.ts'

/** How long sessions live, by the policy. */
export interface SessionLifetimes {
  readonly idleMs: number
  readonly absoluteMs: number
}

export function lifetimesIn({ sessions: { idle, absolute } }: WholePolicy): SessionLifetimes {
  return { idleMs: idle ? durationMs(idle) : 0, absoluteMs: absolute ? durationMs(absolute) : 0 }
}

/** When a session ends that is used now. */
export function endsOf({ idleMs, absoluteMs }: SessionLifetimes, createTime: Date, now: number) {
  const expire = createTime.getTime() + absoluteMs
  return { idle_expire_time: new Date(Math.min(now + idleMs, expire)), expire_time: new Date(expire) }
}

/** Whether a session has ended, by itself or by what the policy says now. */
export function hasEnded(
  session: Pick<SessionRow, 'end_time' | 'idle_expire_time' | 'expire_time' | 'last_use_time' | 'create_time'>,
  now: number,
  lifetimes?: SessionLifetimes,
): boolean {
  const idleEnd = Math.min(session.idle_expire_time.getTime(), session.last_use_time.getTime() + (lifetimes?.idleMs ?? Infinity))
  const end = Math.min(session.expire_time.getTime(), session.create_time.getTime() + (lifetimes?.absoluteMs ?? Infinity))
  return session.end_time !== null || idleEnd <= now || end <= now
}
