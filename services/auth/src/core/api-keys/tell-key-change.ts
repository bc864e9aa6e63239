import { insertKeyChange, insertKeyChangesOfAccount } from '../../store/api-key-changes.ts'
import type { AccountKey } from '../../store/service-accounts.ts'
import type { Deps } from '../deps.ts'

/** Longer than any verifier remembers a key. */
const forgetMs = 11 * 60_000

/** Has every verifier forget what it knows of a key, within a second after the caller's transaction. */
export async function tellKeyChange({ db, now }: Pick<Deps, 'db' | 'now'>, key: AccountKey): Promise<void> {
  await insertKeyChange(db, key, new Date(now() + forgetMs))
}

/** The same for all keys of an account: for whoever disables it or changes what it may do. */
export async function tellKeysOfAccount({ db, now }: Pick<Deps, 'db' | 'now'>, account: AccountKey): Promise<void> {
  await insertKeyChangesOfAccount(db, account, new Date(now() + forgetMs))
}
