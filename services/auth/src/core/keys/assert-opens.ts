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
  const signing = (await listSigningKeys(db, tenant, now)).filter(({ kid }) => kid !== but)
  const opened = await openKeys({ signing, refresh: await listRefreshKeys(db, tenant) }, tenant, unseal)
  const shut = [...opened.shutSigning, ...opened.shutRefresh]
  const [first] = shut
  if (first !== undefined && shut.length > opened.signing.length + opened.refresh.length) throw first.problem
}
