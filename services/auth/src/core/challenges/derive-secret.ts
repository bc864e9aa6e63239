import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { keyThatFits, type MacKeys } from '@gatehouse/rpc'

/** The delivery that carries a secret. Ids in lower case, as the store writes them. */
export interface SecretOwner {
  readonly tenant: string
  readonly challengeId: string
  readonly deliveryId: string
}

const codes = 1_000_000

/** What a delivery says: always the same, so that it is stored nowhere. Tenants and ids hold no zero byte, so no two owners meet. */
export function deriveSecret(key: Uint8Array, owner: SecretOwner): { token: string; code: string } {
  // 48 bits modulo a million: the bias is below one in a hundred million.
  const number = derive(key, 'challenge code', owner).readUIntBE(0, 6) % codes
  return {
    token: derive(key, 'challenge token', owner).toString('base64url'),
    code: String(number).padStart(6, '0'),
  }
}

/** What a mail said whose token the store knows: under the key that it was made by, and no other. Undefined where that one is gone. */
export function secretAgain(keys: MacKeys, owner: SecretOwner, tokenHash: Uint8Array): { token: string; code: string } | undefined {
  const key = keyThatFits(keys, (each) => timingSafeEqual(hashToken(deriveSecret(each, owner).token), tokenHash))
  return key && deriveSecret(key, owner)
}

/** What the store knows of a token. */
export function hashToken(token: string): Uint8Array {
  return createHash('sha256').update(token).digest()
}

/** Names the counter of an address without telling the address. */
export function hashAddress(key: Uint8Array, tenant: string, addressKey: string): Uint8Array {
  return createHmac('sha256', key).update(['challenge address', tenant, addressKey].join('\0')).digest()
}

function derive(key: Uint8Array, label: string, owner: SecretOwner): Buffer {
  return createHmac('sha256', key).update([label, owner.tenant, owner.challengeId, owner.deliveryId].join('\0')).digest()
}
