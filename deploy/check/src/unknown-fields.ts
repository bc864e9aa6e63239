/**
 * A validator takes the fields that it knows from an object, present or not, and walks through those of a map. So whoever lets it
 * read a recording of the data knows afterwards which fields nobody asked for: a typing error, or another version's field.
 * Objects of which nothing was asked are free in form.
 */
export function recordingOf<T extends object>(data: T): { readonly recording: T; unknownFields(): readonly string[] } {
  const seen = new Map<object, { readonly path: string; readonly asked: Set<string>; whole: boolean }>()
  const recordings = new Map<object, object>()

  function record<O extends object>(value: O, path: string): O {
    const held = recordings.get(value)
    if (held) return held as O
    const notes = { path, asked: new Set<string>(), whole: false }
    if (!Array.isArray(value)) seen.set(value, notes)
    const recording = new Proxy(value, {
      get(target, name) {
        if (typeof name === 'string') notes.asked.add(name)
        const found: unknown = Reflect.get(target, name)
        if (typeof found !== 'object' || found === null || typeof name === 'symbol') return found
        return record(found, Array.isArray(target) ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`)
      },
      ownKeys(target) {
        notes.whole = true
        return Reflect.ownKeys(target)
      },
    })
    recordings.set(value, recording)
    return recording
  }

  return {
    recording: record(data, ''),
    unknownFields: () =>
      [...seen].flatMap(([value, { path, asked, whole }]) =>
        whole || asked.size === 0
          ? []
          : Object.keys(value)
              .filter((name) => !asked.has(name))
              .map((name) => (path === '' ? name : `${path}.${name}`)),
      ),
  }
}
