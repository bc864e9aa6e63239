import { ErrorReason, refuse } from '../refuse.ts'

/** How many there can be of what every service keeps in memory, or goes through in a decision. */
export const accessLimits = { roles: 500, groups: 5_000, members: 5_000, memberships: 50, bindings: 100 } as const

/** Refuses one more. */
export function assertRoom(what: keyof typeof accessLimits, present: number): void {
  const limit = accessLimits[what]
  if (present >= limit) throw refuse(ErrorReason.ACCESS_TOO_MUCH, { what, limit: String(limit) })
}
