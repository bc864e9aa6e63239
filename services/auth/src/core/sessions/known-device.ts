import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { keyThatFits } from '@gatehouse/rpc'
import type { Deps } from '../deps.ts'

/** A device that its person signed in from is known for so long. */
export const deviceKnownSeconds = 365 * 86_400

/** So many people of one browser are known in it. */
const most = 4
const pattern = /^ghd_[A-Za-z0-9_-]{48}$/
const daySeconds = 86_400

/** Whose device, and with which password they signed in there: with another password every device is a stranger's. */
export interface DeviceOwner {
  readonly tenant: string
  readonly userId: string
  readonly credentialVersion: number
}

interface Device {
  readonly id: Buffer
  readonly day: number
}

/**
 * The id of the device, where one of the presented tokens is the person's own. A token says nothing but that this person has signed in there, and
 * opens nothing: it has wrong passwords counted apart from those of strangers. It is stored nowhere; whoever cannot make it has none.
 */
export function knownDevice(deps: Pick<Deps, 'challengeKeys' | 'now'>, owner: DeviceOwner, presented: string): string | undefined {
  return find(deps, owner, tokensOf(presented))?.device.id.toString('hex')
}

/** What the person keeps from now on: the token of this device, before those of others who use it. */
export function deviceToken(deps: Pick<Deps, 'challengeKeys' | 'now'>, owner: DeviceOwner, presented: string): string {
  const tokens = tokensOf(presented)
  const known = find(deps, owner, tokens)
  const device = { id: known?.device.id ?? randomBytes(16), day: today(deps) }
  const others = tokens.filter((token) => token !== known?.token)
  return [write(deps, owner, device), ...others].slice(0, most).join('.')
}

function find(deps: Pick<Deps, 'challengeKeys' | 'now'>, owner: DeviceOwner, tokens: readonly string[]) {
  for (const token of tokens) {
    const bytes = Buffer.from(token.slice(4), 'base64url')
    const device = { id: bytes.subarray(0, 16), day: bytes.readUInt32BE(16) }
    const isFresh = device.day <= today(deps) + 1 && (today(deps) - device.day) * daySeconds < deviceKnownSeconds
    const fits = (key: Uint8Array) => timingSafeEqual(bytes.subarray(20), proofOf(key, owner, device))
    if (keyThatFits(deps.challengeKeys, fits) && isFresh) return { token, device }
  }
  return undefined
}

function tokensOf(presented: string): readonly string[] {
  return presented === ''
    ? []
    : presented
        .split('.')
        .slice(0, most)
        .filter((token) => pattern.test(token))
}

function write(deps: Pick<Deps, 'challengeKeys'>, owner: DeviceOwner, device: Device): string {
  return `ghd_${Buffer.concat([device.id, bytesOf(device.day), proofOf(deps.challengeKeys.current, owner, device)]).toString('base64url')}`
}

function proofOf(key: Uint8Array, owner: DeviceOwner, { id, day }: Device): Buffer {
  const said = ['known device', owner.tenant, owner.userId, String(owner.credentialVersion), id.toString('hex'), String(day)]
  return createHmac('sha256', key).update(said.join('\0')).digest().subarray(0, 16)
}

function bytesOf(day: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(day)
  return bytes
}

function today({ now }: Pick<Deps, 'now'>): number {
  return Math.floor(now() / 1000 / daySeconds)
}
