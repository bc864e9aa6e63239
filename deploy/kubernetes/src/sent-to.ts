/** What of a rule of an HTTPRoute decides whether a path is its own. */
export interface RouteRule {
  readonly matches?: readonly {
    readonly path?: { readonly type?: string; readonly value?: string }
    readonly method?: string
    readonly headers?: unknown
    readonly queryParams?: unknown
  }[]
}

interface Fit<Rule> {
  readonly rule: Rule
  readonly isExact: boolean
  readonly length: number
}

/**
 * The rule by which a gateway sends a path, as the Gateway API says: a whole path comes before a prefix, a longer prefix before a shorter one. Matches that
 * also ask for a method, a header or a query are passed over, for they take some of the calls only; and so are regular expressions, which each gateway reads in its own way.
 */
export function sentTo<Rule extends RouteRule>(path: string, rules: readonly Rule[]): Rule | undefined {
  const fitting = rules.flatMap((rule) =>
    (rule.matches ?? [{}]).flatMap((match): Fit<Rule>[] => {
      if (match.method || match.headers || match.queryParams) return []
      const { type = 'PathPrefix', value = '/' } = match.path ?? {}
      const isExact = type === 'Exact'
      const prefix = value.replace(/\/$/, '')
      const fits = isExact ? path === value : type === 'PathPrefix' && (path === prefix || path.startsWith(`${prefix}/`))
      return fits ? [{ rule, isExact, length: value.length }] : []
    }),
  )
  return fitting.sort((a, b) => Number(b.isExact) - Number(a.isExact) || b.length - a.length)[0]?.rule
}
