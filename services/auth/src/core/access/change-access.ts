import { transact } from '@gatehouse/postgres'
import { type AccessChange, insertAccessChanges, raiseAccessVersion } from '../../store/access-changes.ts'
import type { Db, Deps } from '../deps.ts'

/** What changing who may do what stands on. */
export interface AccessDeps extends Pick<Deps, 'db' | 'now' | 'committed' | 'batches'> {
  /** Called after a commit: has this replica see the change before it answers. */
  readonly accessChanged: () => Promise<void>
}

/** Whoever changes who may do what: nobody gives what they do not hold, but for the operator, who holds the database's credentials. */
export type Granter = 'operator' | { readonly id: string; readonly scopes?: ReadonlySet<string> | undefined }

/** A transaction in which nobody else changes anything in the tenant. */
export interface Changing {
  readonly tx: Db
  readonly tenant: string
  /** Counts the changes of the tenant; the version of their events. */
  readonly version: bigint
  /** Has every service look at these. */
  tell(changes: readonly AccessChange[]): Promise<void>
}

/** Makes one change at a time in a tenant, so that whatever was checked still holds when it is written. */
export async function changing(tx: Db, tenant: string): Promise<Changing> {
  const version = await raiseAccessVersion(tx, tenant)
  return { tx, tenant, version, tell: (changes) => insertAccessChanges(tx, tenant, version, changes) }
}

/** Runs a change as a transaction of its own, and has it seen. */
export async function changeAccess<T>(deps: AccessDeps, tenant: string, act: (change: Changing) => Promise<T>): Promise<T> {
  const result = await transact(deps.db, async (tx) => await act(await changing(tx, tenant)))
  deps.committed()
  await deps.accessChanged()
  return result
}
