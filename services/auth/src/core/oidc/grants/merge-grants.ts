import type { GivenRow } from '../../../store/oidc/grants-of-person.ts'
import type { Payload } from '../oidc-parts.ts'

/** The parts of a grant as the library keeps them: scopes are words between spaces. */
interface Given {
  readonly openid?: { readonly scope?: string; readonly claims?: readonly string[] }
  readonly resources?: Readonly<Record<string, string>>
}

/** Everything that either of them gives. What was refused is what the newer one says. */
export function mergeGrants(older: Payload, newer: Payload): Payload {
  const [a, b] = [older as Given, newer as Given]
  const resources = [...new Set([...Object.keys(a.resources ?? {}), ...Object.keys(b.resources ?? {})])].sort()
  const scope = words(a.openid?.scope, b.openid?.scope)
  const claims = [...new Set([...(a.openid?.claims ?? []), ...(b.openid?.claims ?? [])])]
  const openid = { ...(scope !== '' && { scope }), ...(claims.length > 0 && { claims }) }
  return {
    ...older,
    ...newer,
    ...(Object.keys(openid).length > 0 && { openid }),
    ...(resources.length > 0 && {
      resources: Object.fromEntries(resources.map((each) => [each, words(a.resources?.[each], b.resources?.[each])])),
    }),
  }
}

/** Whether the person let the client go on without their session, and did not take it back. */
export function isOffline(payload: Payload): boolean {
  const refused = (payload.rejected as Given | undefined)?.openid?.scope
  return wordsIn((payload as Given).openid?.scope).includes('offline_access') && !wordsIn(refused).includes('offline_access')
}

/** What a grant gives but for what was refused, as the library counts it: `openid` cannot be. */
export function allowedIn({ openid, resources, rejected }: GivenRow): { scopes: string; resources: Record<string, string> } {
  const refused = wordsIn(rejected?.openid?.scope).filter((word) => word !== 'openid')
  return {
    scopes: without(openid?.scope, refused),
    resources: Object.fromEntries(
      Object.entries(resources ?? {}).map(([each, scope]) => [each, without(scope, wordsIn(rejected?.resources?.[each]))]),
    ),
  }
}

function without(text: string | undefined, refused: readonly string[]): string {
  return wordsIn(text)
    .filter((word) => !refused.includes(word))
    .join(' ')
}

/** Words of several texts, each once. */
export function words(...texts: readonly (string | undefined)[]): string {
  return [...new Set(texts.flatMap(wordsIn))].join(' ')
}

function wordsIn(text: string | undefined): string[] {
  return (text ?? '').split(' ').filter((word) => word !== '')
}
