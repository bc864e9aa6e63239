import type { Language } from './languages.ts'

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

const words = {
  en: { on: 'on', unknown: 'a program that we do not know' },
  de: { on: 'unter', unknown: 'ein Programm, das wir nicht kennen' },
}

/** A program in two words that are ours: what it calls itself could be a stranger's sentence in our mail. */
export function deviceOf(userAgent: string, language: Language): string {
  const { on, unknown } = words[language]
  const named = [browsers, systems].flatMap((all) => all.find(([, pattern]) => pattern.test(userAgent))?.[0] ?? [])
  return named.join(` ${on} `) || unknown
}
