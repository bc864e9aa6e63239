/** Code points that RFC 8264 section 9.6 allows or forbids by name; the contextual ones have rules of their own. */
const allowedByName = /^[\u00DF\u03C2\u06FD\u06FE\u0F0B\u3007]$/u
const forbiddenByName = /^[\u0640\u07FA\u302E\u302F\u3031-\u3035\u303B]$/u
const oldHangulJamo = /^[\u1100-\u11FF\uA960-\uA97C\uD7B0-\uD7C6\uD7CB-\uD7FB]$/u
const unassigned = /^(?!\p{Noncharacter_Code_Point})\p{Cn}$/u
/** What the profile leaves as it is. */
const printableAscii = /^[ -~]+$/
const ignorable = /^[\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\p{Cc}]$/u
/** Letters, digits, marks, spaces, symbols, punctuation: LetterDigits, OtherLetterDigits, Spaces, Symbols and Punctuation. */
const freeform = /^[\p{L}\p{M}\p{N}\p{Zs}\p{S}\p{P}]$/u

/**
 * Enforces the OpaqueString profile (RFC 8265 section 4.2): no width mapping, non-ASCII spaces become U+0020, letter case stays, NFC,
 * no directionality rule; then only what the FreeformClass (RFC 8264 section 4.3) allows. Answers `undefined` for a string that the
 * profile refuses, the empty one included. The class is checked after NFC, because some keyboards send Hangul as single jamo.
 */
export function enforceOpaqueString(input: string): string | undefined {
  if (printableAscii.test(input)) return input
  if (!input.isWellFormed()) return undefined
  const mapped = input.replace(/(?! )\p{Zs}/gu, ' ').normalize('NFC')
  if (mapped === '') return undefined
  const points = [...mapped]
  return points.every((_, at) => isAllowed(points, at)) ? mapped : undefined
}

/** The order of the tests is that of RFC 8264 section 8. */
function isAllowed(points: readonly string[], at: number): boolean {
  const point = points[at] ?? ''
  if (allowedByName.test(point)) return true
  if (forbiddenByName.test(point)) return false
  const contextual = contextRule(points, at)
  if (contextual !== undefined) return contextual
  if (unassigned.test(point) || oldHangulJamo.test(point) || ignorable.test(point)) return false
  return freeform.test(point) || point.normalize('NFKC') !== point
}

/** RFC 5892 appendix A; `undefined` where the code point needs no context. */
function contextRule(points: readonly string[], at: number): boolean | undefined {
  const before = points[at - 1] ?? ''
  const after = points[at + 1] ?? ''
  switch (points[at]) {
    case '\u200C':
      return isVirama(before) || joins(before, after)
    case '\u200D':
      return isVirama(before)
    case '\u00B7':
      return before === 'l' && after === 'l'
    case '\u0375':
      return /^\p{Script=Greek}$/u.test(after)
    case '\u05F3':
    case '\u05F4':
      return /^\p{Script=Hebrew}$/u.test(before)
    case '\u30FB':
      return points.some((point) => /^[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]$/u.test(point))
  }
  if (/^[\u0660-\u0669]$/u.test(points[at] ?? '')) return !points.some((point) => /^[\u06F0-\u06F9]$/u.test(point))
  if (/^[\u06F0-\u06F9]$/u.test(points[at] ?? '')) return !points.some((point) => /^[\u0660-\u0669]$/u.test(point))
  return undefined
}

/** Canonical_Combining_Class 9, which has no property escape: normalisation moves it behind class 8 and before class 10. */
function isVirama(point: string): boolean {
  if (!/^\p{Mn}$|^\p{Mc}$/u.test(point)) return false
  return (
    (point + kanaVoicedMark).normalize('NFD') === kanaVoicedMark + point && (hebrewSheva + point).normalize('NFD') === point + hebrewSheva
  )
}

const kanaVoicedMark = '\u3099'
const hebrewSheva = '\u05B0'

/** Joining_Type has no property escape: letters of the cursive scripts stand for those that join. It lets more pass, and never less. */
function joins(before: string, after: string): boolean {
  const cursive =
    /^[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Mandaic}\p{Script=Manichaean}\p{Script=Mongolian}\p{Script=Nko}\p{Script=Adlam}\p{Script=Phags_Pa}\p{Script=Hanifi_Rohingya}\p{M}]$/u
  return cursive.test(before) && cursive.test(after)
}
