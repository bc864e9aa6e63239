import { interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider'
import { demandedStrength, strengthOfAcr } from './acr.ts'
import { factsOf } from './client-facts.ts'

const { Check } = interactionPolicy

/** When the library stops and asks the person: its own checks, with ours for strength, for people who are gone and for first-party clients. */
export function policyOf(): interactionPolicy.DefaultPolicy {
  const policy = interactionPolicy.base()
  const login = promptOf(policy, 'login')
  // The library's compare by equality, and would send a stronger session round for ever.
  login.checks.remove('essential_acrs')
  login.checks.remove('essential_acr')
  login.checks.add(new Check('person_gone', 'the person of the session may not sign in', 'login_required', ({ oidc }) => isGone(oidc)))
  login.checks.add(
    new Check(
      'strength',
      'the sign-in is not strong enough for this client',
      'unmet_authentication_requirements',
      ({ oidc }) => (strengthOfAcr(oidc.session?.acr) ?? 0) < demandOf(oidc),
      ({ oidc }) => ({ strength: demandOf(oidc) }),
    ),
  )
  // The same as prompt=login (OpenID Connect Core 1.0 section 3.1.2.1). Compared by whole seconds, a sign-in of this very second would pass.
  alsoWhere(login, 'max_age', ({ oidc }) => Number(oidc.params?.max_age) === 0 && oidc.result?.login === undefined)
  const consent = promptOf(policy, 'consent')
  exceptWhere(consent, 'consent_prompt', ({ oidc }) => oidc.client !== undefined && factsOf(oidc.client).gatehouse_first_party)
  // Whoever answers at an https address is known by its certificate; who listens at a scheme or a port is not (RFC 8252 section 8.6).
  exceptWhere(consent, 'native_client_prompt', ({ oidc }) => String(oidc.params?.redirect_uri).startsWith('https:'))
  return policy
}

function isGone({ session, account }: KoaContextWithOIDC['oidc']): boolean {
  return session?.accountId !== undefined && account === undefined
}

function demandOf({ claims, client }: KoaContextWithOIDC['oidc']): number {
  return demandedStrength(claims.id_token?.acr, client === undefined ? 0 : factsOf(client).gatehouse_min_strength)
}

function promptOf(policy: interactionPolicy.DefaultPolicy, name: string): interactionPolicy.Prompt {
  const prompt = policy.get(name)
  if (prompt === undefined) throw new TypeError(`the library has no prompt ${name}`)
  return prompt
}

function exceptWhere(prompt: interactionPolicy.Prompt, reason: string, spares: (context: KoaContextWithOIDC) => boolean): void {
  const check = checkOf(prompt, reason)
  const asks = check.check
  check.check = (context) => (spares(context) ? Check.NO_NEED_TO_PROMPT : asks(context))
}

function alsoWhere(prompt: interactionPolicy.Prompt, reason: string, asksAlso: (context: KoaContextWithOIDC) => boolean): void {
  const check = checkOf(prompt, reason)
  const asks = check.check
  check.check = (context) => (asksAlso(context) ? Check.REQUEST_PROMPT : asks(context))
}

function checkOf(prompt: interactionPolicy.Prompt, reason: string): interactionPolicy.Check {
  const check = prompt.checks.get(reason)
  if (check === undefined) throw new TypeError(`the library has no check ${reason}`)
  return check
}
