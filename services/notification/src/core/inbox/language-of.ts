import { forTenant } from '@gatehouse/rpc'
import type { InboxKey } from '../../store/inbox.ts'
import type { Deps } from '../deps.ts'
import { bestLanguage, type Language } from '../mail/languages.ts'

/** The language that a person reads; while the user service is away, the one that their browser asks for. */
export async function languageOf(
  deps: Pick<Deps, 'users'>,
  { tenant, userId }: InboxKey,
  { acceptLanguage, signal }: { acceptLanguage: string; signal: AbortSignal },
): Promise<Language> {
  try {
    const { user } = await deps.users.resolveUser({ by: { case: 'id', value: userId } }, forTenant(tenant, { signal, timeoutMs: 1000 }))
    if (user) return bestLanguage(user.locale)
  } catch {
    // An inbox in the wrong language is better than none; whoever calls user logs that it is away.
  }
  return bestLanguage(acceptLanguage.split(/[,;]/, 1)[0] ?? '')
}
