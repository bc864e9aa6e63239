/** A number for people: three digits that matter, thousands apart. */
export function shown(value: number): string {
  if (Number.isNaN(value)) return '–'
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(3)))
}

/** A goal's state as a mark. */
export function mark(holds: boolean | null): string {
  return holds === null ? '' : holds ? '✓' : '✗ missed'
}
