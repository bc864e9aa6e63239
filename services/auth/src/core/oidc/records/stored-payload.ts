import type { Deps } from '../../deps.ts'
import type { Payload, RecordKind } from '../oidc-parts.ts'
import { hashInRef, recordHash, recordRef } from './record-hash.ts'

type Record = { readonly tenant: string; readonly kind: RecordKind; readonly id: string }

/** As text, without whatever is good for something by itself: the id, the browser's cookie, the user code, ids of other records. */
export function toStored(deps: Pick<Deps, 'challengeKeys'>, { tenant, kind, id }: Record, payload: Payload): string {
  const { jti: _, userCode: __, ...kept } = payload
  if (kind !== 'Interaction') return JSON.stringify(kept)
  const { session, returnTo, deviceCode, parJti, ...rest } = kept
  const refOf = (other: string) => (hashInRef(deps, tenant, other) ? other : recordRef(deps, tenant, recordHash(other)))
  return JSON.stringify({
    ...rest,
    ...(isObject(session) && { session: withoutCookie(session) }),
    // It ends with the id, which is the cookie's value too.
    ...(typeof returnTo === 'string' && { returnTo: returnTo.endsWith(id) ? { before: returnTo.slice(0, -id.length) } : returnTo }),
    ...(typeof deviceCode === 'string' && { deviceCode: refOf(deviceCode) }),
    ...(typeof parJti === 'string' && { parJti: refOf(parJti) }),
  })
}

/** As the library wrote it, with the id that it asked for. */
export function fromStored({ kind, id }: Pick<Record, 'kind' | 'id'>, text: string): Payload {
  const payload = JSON.parse(text) as Payload
  const { returnTo } = payload
  const whole = kind === 'Interaction' && isObject(returnTo) ? { ...payload, returnTo: `${returnTo.before}${id}` } : payload
  return { ...whole, jti: id }
}

function withoutCookie({ cookie: _, ...session }: Payload): Payload {
  return session
}

function isObject(value: unknown): value is Payload {
  return typeof value === 'object' && value !== null
}
