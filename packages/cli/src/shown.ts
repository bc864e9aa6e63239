/**
 * A text that came from outside, as a terminal may have it: what moves the cursor, turns the direction of what follows or cannot be seen (control
 * and format characters, separators of lines, halves of pairs) is written as its number.
 */
export const shown = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (each) => `\\u{${(each.codePointAt(0) ?? 0).toString(16)}}`)
