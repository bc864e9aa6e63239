import { ClientKind } from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import { isRefused } from '../../egress/egress.ts'

const loopback = new Set(['127.0.0.1', '[::1]'])

export interface UriRules {
  readonly kind: ClientKind
  /** `localhost` is whatever a machine's hosts file says. That is fine where Gatehouse itself lives there, and of an app on somebody's machine, whose makers wrote it into the app. */
  readonly localhost: boolean
}

/** What is wrong with an address that a browser is sent to; undefined of a good one. They are compared letter by letter: what can be written in two ways is written in one. */
export function redirectProblem(text: string, { kind, localhost }: UriRules): string | undefined {
  const uri = URL.canParse(text) ? new URL(text) : undefined
  if (uri === undefined) return 'is no URI'
  if (text.includes('*')) return 'has a *, and nothing stands for anything else'
  if (text.includes('#')) return 'has a fragment'
  if (uri.protocol !== 'https:' && uri.protocol !== 'http:')
    return kind === ClientKind.NATIVE && /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/.test(uri.protocol)
      ? undefined
      : 'has a scheme that is neither https nor, of an app, a reversed domain name such as com.example.app'
  return webProblem(text, uri, localhost || kind === ClientKind.NATIVE)
}

/** What is wrong with an address that we call ourselves; `egressAllow` is what of our own network we may call, where that is known. */
export function backchannelProblem(
  text: string,
  { localhost, egressAllow }: { localhost: boolean; egressAllow?: readonly string[] | undefined },
): string | undefined {
  const uri = URL.canParse(text) ? new URL(text) : undefined
  if (uri === undefined) return 'is no URI'
  if (text.includes('#')) return 'has a fragment'
  // It would be accepted, and never called.
  if (egressAllow !== undefined && isRefused(uri, egressAllow)) return 'is at no public address, and OIDC_EGRESS_ALLOW does not name it'
  return webProblem(text, uri, localhost)
}

/** What is wrong with the origin of somebody's pages. */
export function originProblem(text: string, localhost: boolean): string | undefined {
  const uri = URL.canParse(text) ? new URL(text) : undefined
  if (uri === undefined || uri.origin !== text) return 'is no origin'
  return webProblem(text, uri, localhost)
}

function webProblem(text: string, uri: URL, localhost: boolean): string | undefined {
  if (uri.username !== '' || uri.password !== '') return 'has a user before the host'
  if (uri.href !== text && uri.href !== `${text}/`) return 'is not written as browsers write it'
  const isNear = loopback.has(uri.hostname) || (localhost && uri.hostname === 'localhost')
  return uri.protocol === 'https:' || isNear ? undefined : 'is http, and neither 127.0.0.1 nor [::1]'
}
