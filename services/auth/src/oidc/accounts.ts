import type { User } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import type { Account, FindAccount, KoaContextWithOIDC } from 'oidc-provider'
import { translated } from './error-of.ts'
import type { ProviderParts } from './oidc-deps.ts'

type AccountParts = Pick<ProviderParts, 'acts' | 'tenant'>

const asked = new WeakMap<KoaContextWithOIDC, Map<string, Promise<User | undefined>>>()

/** The person as the user service says now, asked once for a request; undefined of whoever may not sign in. Its silence is a 503. */
export async function personOf(
  { acts, tenant }: AccountParts,
  context: KoaContextWithOIDC | undefined,
  id: string,
): Promise<User | undefined> {
  const ask = () => translated(() => acts.people.account(tenant, id))
  if (context === undefined) return await ask()
  const answers = asked.get(context) ?? new Map<string, Promise<User | undefined>>()
  asked.set(context, answers)
  const answer = answers.get(id) ?? ask()
  answers.set(id, answer)
  return await answer
}

/** What the library asks about people. */
export function accountOf(parts: AccountParts): FindAccount {
  return async (context, sub, token) => {
    // Of a token that is used up only the theft is to be found out, and that must not wait for the user service.
    if (token !== undefined && 'consumed' in token && token.consumed) return { accountId: sub, claims: () => ({ sub }) }
    const user = await personOf(parts, context, sub)
    return user === undefined ? undefined : accountFrom(parts, user)
  }
}

function accountFrom({ acts, tenant }: AccountParts, user: User): Account {
  return {
    accountId: user.id,
    async claims(_use, scope) {
      const claims = await translated(() => acts.people.claims(tenant, user, scope.split(' ')))
      return { ...claims, sub: user.id }
    },
  }
}
