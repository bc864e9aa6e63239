const browsers = [
  ['Edge', /Edg\//],
  ['Firefox', /Firefox\//],
  ['Chrome', /Chrom/],
  ['Safari', /Safari\//],
] as const

const systems = [
  ['Android', /Android/],
  ['iOS', /iPhone|iPad/],
  ['Windows', /Windows/],
  ['macOS', /Mac OS/],
  ['Linux', /Linux/],
] as const

/** Two words for a person; the whole text is nobody's reading. */
export function deviceOf(userAgent: string): string {
  const named = [browsers, systems].map((all) => all.find(([, pattern]) => pattern.test(userAgent))?.[0] ?? '')
  return named.filter(Boolean).join(' on ') || userAgent.slice(0, 40) || 'A program'
}
