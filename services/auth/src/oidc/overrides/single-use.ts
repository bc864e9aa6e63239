import { createHmac, type KeyObject } from 'node:crypto'
import type Provider from 'oidc-provider'
import { errors, type RefreshToken } from 'oidc-provider'
import { personOf } from '../accounts.ts'
import { actAsClient } from '../act-as-client.ts'
import { currentContext } from '../current-context.ts'
import { translated } from '../error-of.ts'
import type { ProviderParts } from '../oidc-deps.ts'
import { opaqueId } from './token-ids.ts'

type SingleUseParts = Pick<ProviderParts, 'acts' | 'tenant'>

/** A code is used up once the person's state is known: with the user service away the client may come again with it. */
export function codesAfterPeople(provider: Provider, parts: SingleUseParts): void {
  const models: readonly { prototype: { accountId?: string | undefined } }[] = [provider.AuthorizationCode, provider.DeviceCode]
  for (const { prototype } of models) {
    const consuming = prototype as { accountId?: string | undefined; consume(): Promise<void> }
    const { consume } = consuming
    consuming.consume = async function consumeForPerson() {
      actAsClient()
      if (this.accountId !== undefined) await personOf(parts, currentContext(), this.accountId)
      await consume.call(this)
    }
  }
}

/** Secrets of refresh tokens that were just used up, for their successors. */
const secrets = new WeakMap<object, KeyObject>()

/**
 * A refresh token's successor follows from the token and a key outside the rows: so the database holds hashes only, and whoever lost the answer gets the same
 * one again.
 */
export function rotatingRefreshTokens(provider: Provider, { acts, tenant }: SingleUseParts): void {
  const { prototype } = provider.RefreshToken
  prototype.consume = async function rotate() {
    const token = this.jti
    actAsClient()
    const rotated = await translated(() => acts.records.rotate(tenant, token, (secret) => successorOf(secret, token)))
    if (typeof rotated === 'string') throw new errors.InvalidGrant({ detail: `refresh token ${rotated}` })
    secrets.set(this, rotated.secret)
    this.emit('consumed')
  }
  Object.assign(prototype, {
    generateTokenId() {
      const rotated: RefreshToken | undefined = currentContext()?.oidc.entities.RotatedRefreshToken
      if (rotated === undefined) return opaqueId('gor_')
      const secret = secrets.get(rotated)
      if (secret === undefined) throw new TypeError('a refresh token has a successor once it is used up')
      return successorOf(secret, rotated.jti)
    },
  })
}

function successorOf(secret: KeyObject, token: string): string {
  return `gor_${createHmac('sha256', secret).update(`oidc refresh\0${token}`).digest('base64url')}`
}
