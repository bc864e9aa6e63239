/**
 * A name, or the start of one, without differences of letter case and of Unicode's compatible forms. Folds each character
 * alone, so that the start of a name folds to the start of its key.
 */
export function nameKey(name: string): string {
  const folded = name.normalize('NFKC').toUpperCase().toLowerCase().replaceAll('ς', 'σ').normalize('NFKC')
  // One character can unfold to eighteen, and an index entry has to fit into a third of a page.
  return folded.length <= maxPoints ? folded : Array.from(folded).slice(0, maxPoints).join('')
}

const maxPoints = 254

/** Every text that starts with `prefix` lies in `[from, below)` by code points; null means that no text lies above. */
export function prefixRange(prefix: string): { from: string; below: string | null } {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0)
  while (points.at(-1) === 0x10ffff) points.pop()
  const last = points.pop()
  if (last === undefined) return { from: prefix, below: null }
  // The surrogates between these two are no characters.
  const next = last === 0xd7ff ? 0xe000 : last + 1
  return { from: prefix, below: String.fromCodePoint(...points, next) }
}
