import type { DescService } from '@bufbuild/protobuf'
import { AccountService } from '@gatehouse/contracts/gatehouse/auth/v1/account_service_pb'
import { EmailSignInService } from '@gatehouse/contracts/gatehouse/auth/v1/email_sign_in_service_pb'
import { EnrolmentService } from '@gatehouse/contracts/gatehouse/auth/v1/enrolment_service_pb'
import { FactorService } from '@gatehouse/contracts/gatehouse/auth/v1/factor_service_pb'
import { IssuerService } from '@gatehouse/contracts/gatehouse/auth/v1/issuer_service_pb'
import { PolicyService } from '@gatehouse/contracts/gatehouse/auth/v1/policy_service_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { InboxService } from '@gatehouse/contracts/gatehouse/notification/v1/inbox_service_pb'
import { NotificationService } from '@gatehouse/contracts/gatehouse/notification/v1/notification_service_pb'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { restRoutes } from '@gatehouse/rpc'
import type { ServiceName } from './options.ts'

const services: readonly [ServiceName, DescService][] = [
  ['user', UserService],
  ['auth', AccountService],
  ['auth', SessionService],
  ['auth', IssuerService],
  ['auth', EmailSignInService],
  ['auth', EnrolmentService],
  ['auth', FactorService],
  ['auth', PolicyService],
  ['notification', NotificationService],
  ['notification', InboxService],
]

/**
 * First segments of REST paths (`/api/users`) and the service behind each, read from the contracts. A segment belongs to one service, so that a
 * proxy needs no patterns.
 */
export function restPrefixes(): ReadonlyMap<string, ServiceName> {
  const prefixes = new Map<string, ServiceName>()
  for (const [name, service] of services) {
    for (const { path } of restRoutes(service)) {
      const prefix = /^\/api\/[^/:{]+/.exec(path)?.[0]
      if (prefix === undefined) throw new TypeError(`${path} does not begin with /api/<resource>`)
      if ((prefixes.get(prefix) ?? name) !== name) throw new TypeError(`${prefix} belongs to two services`)
      prefixes.set(prefix, name)
    }
  }
  return prefixes
}

/** The service that serves a path, or nothing where the path is a page's. */
export function serviceOfPath(path: string, prefixes: ReadonlyMap<string, ServiceName>): ServiceName | undefined {
  if (path.startsWith('/.well-known/') || path.startsWith('/oidc/')) return 'auth'
  const rpc = /^\/gatehouse\.([a-z]+)\.v1\./.exec(path)?.[1]
  if (rpc === 'user' || rpc === 'auth' || rpc === 'notification') return rpc
  const prefix = /^\/api\/[^/:?]+/.exec(path)?.[0]
  return prefix === undefined ? undefined : prefixes.get(prefix)
}
