import { Field } from './form.tsx'

/** Six digits, of a mail or an app. What is typed may have spaces: the server takes it `withoutSpaces`. */
export function CodeField({ label, autoFocus = false }: { label: string; autoFocus?: boolean }) {
  return (
    <Field
      name="code"
      label={label}
      inputMode="numeric"
      autoComplete="one-time-code"
      maxLength={7}
      className="code"
      wrong="Please type its six digits."
      autoFocus={autoFocus}
      required
    />
  )
}

/** A code as it is sent; people read and paste it in two groups. */
export function withoutSpaces(code: string): string {
  return code.replace(/\s/g, '')
}
