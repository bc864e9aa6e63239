import { createHmac, timingSafeEqual } from 'node:crypto'
import { keyThatFits } from '@gatehouse/rpc'
import { parse as bytesOf, stringify as uuidOf } from 'uuid'
import type { Deps } from '../../deps.ts'

const prefix = 'gho_'
const uuidBytes = 16
const generationBytes = 4
const tagBytes = 32

/** Value of the browser's cookie: which session it is, and of which generation, so that a raise of the session kills the cookie that was there before. Nothing is kept of it. */
export function browserCookie(deps: Pick<Deps, 'challengeKeys'>, tenant: string, sessionId: string, generation: number): string {
  const body = Buffer.concat([bytesOf(sessionId), generationIn4Bytes(generation)])
  return prefix + Buffer.concat([body, tagOf(deps.challengeKeys.current, tenant, body)]).toString('base64url')
}

/** What a cookie says, if it is ours and of this tenant. */
export function readBrowserCookie(
  deps: Pick<Deps, 'challengeKeys'>,
  tenant: string,
  value: string,
): { readonly sessionId: string; readonly generation: number } | undefined {
  if (!value.startsWith(prefix)) return undefined
  const bytes = Buffer.from(value.slice(prefix.length), 'base64url')
  if (bytes.length !== uuidBytes + generationBytes + tagBytes) return undefined
  const body = bytes.subarray(0, uuidBytes + generationBytes)
  const fits = (key: Uint8Array) => timingSafeEqual(bytes.subarray(body.length), tagOf(key, tenant, body))
  if (!keyThatFits(deps.challengeKeys, fits)) return undefined
  return { sessionId: uuidOf(body.subarray(0, uuidBytes)), generation: body.readUInt32BE(uuidBytes) }
}

/** What a client knows the session by: another client knows it by another name, and no name opens anything. */
export function clientSid(key: Uint8Array, tenant: string, sessionId: string, clientId: string): string {
  const tag = createHmac('sha256', key).update(`oidc sid\0${tenant}\0${sessionId}\0${clientId}`).digest()
  return tag.subarray(0, 24).toString('base64url')
}

function tagOf(key: Uint8Array, tenant: string, body: Uint8Array): Buffer {
  return createHmac('sha256', key).update(`oidc cookie\0${tenant}\0`).update(body).digest()
}

function generationIn4Bytes(generation: number): Buffer {
  const bytes = Buffer.alloc(generationBytes)
  bytes.writeUInt32BE(generation)
  return bytes
}
