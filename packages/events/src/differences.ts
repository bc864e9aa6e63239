/** A setting that the broker has another value for than it was asked for. */
export type Difference = { readonly setting: string; readonly asked: unknown; readonly given: unknown }

export function differencesOf<Config extends object>(asked: Partial<Config>, given: Config): readonly Difference[] {
  return (Object.keys(asked) as (keyof Config & string)[])
    .filter((setting) => JSON.stringify(asked[setting]) !== JSON.stringify(given[setting]))
    .map((setting) => ({ setting, asked: asked[setting], given: given[setting] }))
}
