import { listRefreshKeys } from '../../store/refresh-keys.ts'
import { listSigningKeys } from '../../store/signing-keys.ts'
import type { Db } from '../deps.ts'
import type { KeyRing } from './key-ring.ts'
import { openKeys } from './open-keys.ts'

/**
 * Whether we have the encryption key that closed what the tenant has: half of its keys at least, so that one that nobody opens does not keep
 * everybody from making the next, and an operator's shell with another encryption key makes none that auth could not open. `but` is left out:
 * a key that is about to go.
 * @throws ClosedKey when it is another one.
 */
export async function assertOpens(db: Db, { unseal }: Pick<KeyRing, 'unseal'>, tenant: string, now: Date, but?: string): Promise<void> {
  const { ES256, RS256 } = await listSigningKeys(db, tenant, now)
  const left = ({ kid }: { kid: string }) => kid !== but
  const signing = { ES256: ES256.filter(left), RS256: RS256.filter(left) }
  const opened = await openKeys({ signing, refresh: await listRefreshKeys(db, tenant) }, tenant, unseal)
  const shut = [...opened.shutSigning, ...opened.shutRefresh]
  const [first] = shut
  const openedCount = opened.signing.ES256.length + opened.signing.RS256.length + opened.refresh.length
  if (first !== undefined && shut.length > openedCount) throw first.problem
}
