/** The browser's language as a BCP 47 tag; nothing where the browser calls it something else (`en-US@posix`, `C`). */
export function browserLocale(): string {
  try {
    return new Intl.Locale(navigator.language).baseName
  } catch {
    return ''
  }
}
