import { transact } from '@gatehouse/postgres'
import { deleteSecrets } from '../../../store/oidc/client-secrets.ts'
import { type ClientKey, changeClient, lockClient } from '../../../store/oidc/clients.ts'
import { deleteConsentsOfClient } from '../../../store/oidc/consents.ts'
import type { Deps } from '../../deps.ts'
import { endGrants } from '../grants/end-grants.ts'
import { lockedClient, tellClient, type WholeClient, withSecrets } from './client-change.ts'

type Changing = Pick<Deps, 'db' | 'now' | 'committed'>

/** Gives a client nothing any more, or lets it come back. One that is so already stays so from when it was. */
export async function disableClient(deps: Changing, key: ClientKey, disabled: boolean): Promise<WholeClient> {
  const { client, changed } = await transact(deps.db, async (tx) => {
    const now = deps.now()
    const before = await lockedClient(tx, key)
    if ((before.disable_time !== null) === disabled) return { client: await withSecrets(tx, before, now), changed: false }
    const row = await changeClient(tx, key, { disable_time: disabled ? new Date(now) : null }, new Date(now))
    await tellClient(tx, row, disabled ? 'disabled' : 'enabled')
    return { client: await withSecrets(tx, row, now), changed: true }
  })
  if (changed) deps.committed()
  return client
}

/** Grants that end in one transaction: a client may have a million. */
const piece = 500

/** Removes a client, and then ends what people allowed it, piece by piece; whatever is left when that is broken off, clean-up ends. */
export async function deleteClient(deps: Changing & Pick<Deps, 'lifetimes'>, key: ClientKey): Promise<void> {
  const deleted = await transact(deps.db, async (tx) => {
    const now = new Date(deps.now())
    if ((await lockClient(tx, key)) === undefined) return false
    await deleteSecrets(tx, key)
    const emptied = { name: '', metadata: {}, resources: [], introspects: [], first_party: false, backchannel_logout_uri: null }
    await tellClient(tx, await changeClient(tx, key, { ...emptied, delete_time: now }, now), 'deleted')
    return true
  })
  if (deleted) deps.committed()
  await endGrantsOfDeleted(deps, key)
}

/** Ends what people allowed a client that is gone. Answers how many ended. */
export async function endGrantsOfDeleted(deps: Changing & Pick<Deps, 'lifetimes'>, { tenant, clientId }: ClientKey): Promise<number> {
  let all = 0
  for (;;) {
    const ended = await transact(deps.db, async (tx) => {
      // A client that lives is none of this: an unknown id, or one that somebody else asks about.
      if (await lockClient(tx, { tenant, clientId })) return []
      return await endGrants(tx, deps, { tenant, clientId, limit: piece }, { cause: 'client_deleted' })
    })
    if (ended.length > 0) deps.committed()
    all += ended.length
    if (ended.length < piece) break
  }
  // Nobody can be asked about it any more, so that none of these is added meanwhile.
  while ((await deleteConsentsOfClient(deps.db, { tenant, clientId, limit: piece })) === piece);
  return all
}
