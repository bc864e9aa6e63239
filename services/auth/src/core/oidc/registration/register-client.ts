import { transact } from '@gatehouse/postgres'
import { countRegistered, useRegistrationToken } from '../../../store/oidc/registrations.ts'
import type { Deps } from '../../deps.ts'
import { asksForRs256, registered } from '../clients/client-metadata.ts'
import { addClient } from '../clients/create-client.ts'
import { recordHash } from '../records/record-hash.ts'
import type { JudgedClient } from './judge-metadata.ts'
import { nameOf } from './registration-tokens.ts'

export interface Registration {
  readonly tenant: string
  readonly clientId: string
  /** What it was shown as allowed to register. */
  readonly token: string
  readonly judged: JudgedClient
}

/** What came of it: `used_up` of a token that is good for no more clients, `full` where the tenant has as many as it may. */
export type Registered = { readonly issueTime: Date; readonly secret: string } | 'used_up' | 'full'

/** Makes a client of a program that asked to be one. Its secret is answered once, and empty where it has none. */
export async function registerClient(
  deps: Pick<Deps, 'db' | 'now' | 'committed' | 'keys'>,
  { tenant, clientId, token, judged }: Registration,
  quota: number,
): Promise<Registered> {
  const content = registered(judged.settings)
  const answer = await transact(deps.db, async (tx): Promise<Registered> => {
    const now = deps.now()
    if ((await countRegistered(tx, { tenant, most: quota })) >= quota) return 'full'
    if (!(await useRegistrationToken(tx, { tenant, hash: recordHash(token), now: new Date(now) }))) return 'used_up'
    const added = await addClient(tx, deps.keys, { tenant, clientId }, content, { now, details: { registered_by: nameOf(token) } })
    return { issueTime: new Date(now), secret: added.secret }
  })
  if (typeof answer === 'string') return answer
  if (asksForRs256(content)) deps.keys.forget(tenant)
  deps.committed()
  return answer
}
