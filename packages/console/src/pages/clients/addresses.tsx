import { useId } from 'react'

/** One address a line. */
export function Addresses({ name, label, value = [] }: { name: string; label: string; value?: readonly string[] }) {
  const id = useId()
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <textarea id={id} name={name} rows={Math.max(2, value.length + 1)} defaultValue={value.join('\n')} spellCheck={false} />
    </div>
  )
}
