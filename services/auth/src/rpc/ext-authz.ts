import type { MessageInitShape } from '@bufbuild/protobuf'
import type { ServiceImpl } from '@connectrpc/connect'
import type { AttributeContext_HttpRequest } from '@gatehouse/contracts/envoy/service/auth/v3/attribute_context_pb'
import type { Authorization, CheckResponseSchema } from '@gatehouse/contracts/envoy/service/auth/v3/external_auth_pb'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { acrOf, Strength, strengthOfAcr, tenantHeader } from '@gatehouse/identity'
import { type Call, callOf, commonRefusal, type Refusal } from '@gatehouse/rpc'
import { decodeJwt } from 'jose'
import { type AskedRequest, type CheckParts, checkRequest, type Demanded, tokenIn } from '../core/oidc/check-request.ts'
import { isAway } from '../core/oidc/is-away.ts'
import { allowed, denied, unavailable } from './ext-authz-answers.ts'

/** Envoy's question whether a request may pass, and that of whoever speaks like it (Istio, Contour, Emissary). */
export function extAuthz(parts: CheckParts) {
  return {
    async check({ attributes }, context): Promise<MessageInitShape<typeof CheckResponseSchema>> {
      const { contextExtensions: extensions = {} } = attributes ?? {}
      const http = attributes?.request?.http
      if (http === undefined) throw wrong('attributes.request.http', 'is missing')
      const demanded = demandedBy(extensions)
      const asked = askedBy(http, extensions)
      const tenant = tenantOf(callOf(context), extensions, asked)
      try {
        const checked = await checkRequest(parts, tenant, asked, demanded)
        return 'found' in checked ? allowed(checked.found, { strip: extensions.strip === '1' }) : denied(checked.problem, demanded)
      } catch (error) {
        if (!isAway(error)) throw error
        return unavailable()
      }
    },
  } satisfies ServiceImpl<typeof Authorization>
}

/** What a route of the gateway's says about what is behind it. */
type Extensions = Readonly<Record<string, string>>

function demandedBy({ audience = '', scope = '', acr = '' }: Extensions): Demanded {
  if (audience === '') throw wrong('attributes.context_extensions["audience"]', 'is missing: whom the tokens have to be for')
  const strength = acr === '' ? Strength.UNSPECIFIED : strengthOfAcr(acr)
  if (acr !== '' && acrOf(strength) !== acr) throw wrong('attributes.context_extensions["acr"]', 'is not one of aal1, aal2 and phr')
  return { audience, scopes: scope.split(' ').filter((each) => each !== ''), strength }
}

function askedBy(http: AttributeContext_HttpRequest, { origin }: Extensions): AskedRequest {
  const { method, path, host, scheme } = http
  return {
    method,
    // A gateway behind another one may not know by which name it is called.
    url: (origin ?? `${scheme || 'https'}://${host}`) + path,
    authorization: headersOf(http, 'authorization'),
    proofs: headersOf(http, 'dpop'),
  }
}

/** However the gateway was told to pass headers on: as texts, those of one name joined, or as bytes. */
function headersOf({ headers, headerMap }: AttributeContext_HttpRequest, name: string): string[] {
  const joined = Object.entries(headers).filter(([key]) => key.toLowerCase() === name)
  const raw = (headerMap?.headers ?? []).filter(({ key }) => key.toLowerCase() === name)
  return [
    ...joined.map(([, value]) => value),
    ...raw.map(({ value, rawValue }) => (rawValue.length > 0 ? Buffer.from(rawValue).toString('latin1') : value)),
  ]
}

/** The tenant of whoever asks, or the one that it names. Whoever may ask for every tenant need not name any: a signed token says its own, and others belong to none then. */
function tenantOf(call: Call, { tenant: named }: Extensions, asked: AskedRequest): string {
  const own = call.caller.person?.tenant ?? call.header(tenantHeader)
  if (own !== undefined && named !== undefined && own !== named) throw commonRefusal(ErrorReason.WRONG_TENANT)
  return own ?? named ?? tenantIn(tokenIn(asked)?.token) ?? ''
}

function tenantIn(token: string | undefined): string | undefined {
  try {
    const { tid } = decodeJwt(token ?? '')
    return typeof tid === 'string' ? tid : undefined
  } catch {
    return undefined
  }
}

/** A gateway that is set up wrongly lets nobody in, and whoever sets it up reads why. */
function wrong(field: string, description: string): Refusal {
  return commonRefusal(ErrorReason.INVALID_REQUEST, {}, { violations: [{ field, description, reason: 'CONTEXT' }] })
}
