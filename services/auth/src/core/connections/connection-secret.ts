import type { ConnectionKey } from '../../store/connections/connections.ts'
import type { Deps } from '../deps.ts'
import { seal } from '../keys/sealed-box.ts'

/** Where the secret is kept; part of what its box is bound to. */
export const placeOfConnectionSecret = ({ tenant, connectionId }: ConnectionKey) =>
  `secret of connection ${connectionId} of tenant ${tenant}`

export function sealSecret({ keys }: Pick<Deps, 'keys'>, key: ConnectionKey, secret: string): Uint8Array {
  return seal(keys.encryptionKey, Buffer.from(secret), placeOfConnectionSecret(key))
}

export function openSecret(
  { keys }: Pick<Deps, 'keys'>,
  row: { readonly tenant: string; readonly connection_id: string; readonly secret: Uint8Array | null },
): string | undefined {
  if (row.secret === null) return undefined
  return Buffer.from(keys.unseal(row.secret, placeOfConnectionSecret({ tenant: row.tenant, connectionId: row.connection_id }))).toString()
}
