import { type LookAtToken, mayLookAt, type Onlooker } from '../core/oidc/introspect-token.ts'
import type { FoundToken } from '../core/oidc/tokens/found-token.ts'

/** What a token is (RFC 7662), as far as the client may know; of one that it may not know, the same as of one that is none. */
export async function introspect(
  look: LookAtToken,
  { tenant, issuer, client, token }: { tenant: string; issuer: string; client: Onlooker; token: string },
): Promise<object> {
  const found = await look(tenant, token)
  return found !== undefined && mayLookAt(client, found) ? answerOf(found, issuer) : { active: false }
}

function answerOf({ claims }: FoundToken, issuer: string): object {
  return { active: true, iss: issuer, ...claims }
}
