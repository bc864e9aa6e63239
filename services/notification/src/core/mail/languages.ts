/** Languages that the texts exist in; the first one is for everybody else. */
export const languages = ['en', 'de'] as const

export type Language = (typeof languages)[number]

/** The best of our languages for a BCP 47 tag (RFC 4647 lookup): `de-AT` reads `de`, an unknown or malformed one `en`. */
export function bestLanguage(locale: string): Language {
  const primary = locale.trim().split(/[-_]/, 1)[0]?.toLowerCase()
  return languages.find((language) => language === primary) ?? languages[0]
}

/** A span as people say it, such as `10 minutes` or `24 Stunden`: in the largest unit that it fills, rounded down. */
export function spellDuration(language: Language, seconds: number): string {
  const [unit, size] =
    seconds >= 2 * 86_400 ? (['day', 86_400] as const) : seconds >= 2 * 3600 ? (['hour', 3600] as const) : (['minute', 60] as const)
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(Math.max(1, Math.floor(seconds / size)))
}
