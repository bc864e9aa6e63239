interface TicksProps {
  readonly legend: string
  /** Begins the name of each field. */
  readonly prefix: string
  /** What may be ticked, by its value, and what that comes to. */
  readonly choices: ReadonlyMap<string, string>
  readonly ticked: ReadonlySet<string>
}

/** Things of which any number is chosen. */
export function Ticks({ legend, prefix, choices, ticked }: TicksProps) {
  return (
    <fieldset className="wishes">
      <legend>{legend}</legend>
      {[...choices].map(([value, title]) => (
        <label key={value} className="check">
          <input type="checkbox" name={prefix + value} defaultChecked={ticked.has(value)} />
          {title}
        </label>
      ))}
    </fieldset>
  )
}

/** What was ticked. */
export function tickedIn(fields: Readonly<Record<string, string>>, prefix: string): string[] {
  return Object.keys(fields).flatMap((name) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : []))
}
