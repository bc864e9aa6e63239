/** Why a text is no point in time that has been. */
export class NoPastTime extends Error {
  override readonly name = 'NoPastTime'
}

const form = /^(\d{4}-\d\d-\d\d)(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/

/**
 * A moment that an operator writes: `2026-01-31T12:00:00Z`, with another offset, or a day, which begins in UTC. What JavaScript would make something of
 * (`1`, the 31st of February, a time without an offset) is a mistake here.
 * @throws NoPastTime
 */
export function pastTime(text: string, now: number): Date {
  const [, day] = form.exec(text) ?? []
  const at = new Date(text)
  if (day === undefined || Number.isNaN(at.getTime()) || !isDay(day))
    throw new NoPastTime(`${text} is no time: write 2026-01-31T12:00:00Z, or 2026-01-31`)
  if (at.getTime() > now) throw new NoPastTime(`${text} has not come yet: it is ${new Date(now).toISOString().slice(0, 19)}Z`)
  return at
}

const isDay = (day: string): boolean => {
  const at = new Date(`${day}T00:00:00Z`)
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(day)
}
