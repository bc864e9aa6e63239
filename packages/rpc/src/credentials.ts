import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import {
  type AccessTokenVerifier,
  type ApiKeyVerifier,
  type Caller,
  isApiKey,
  type Person,
  TokenInvalid,
  tenantHeader,
  VerificationUnavailable,
  type WorkloadVerifier,
  workloadHeader,
} from '@gatehouse/identity'
import type { CallContext } from './call-context.ts'
import { commonRefusal, type Refusal } from './refusal.ts'

/** What it takes to know who calls, and on behalf of which tenant. */
export interface CredentialOptions {
  readonly accessTokens: AccessTokenVerifier
  /** Without it no API key is good. */
  readonly apiKeys?: ApiKeyVerifier
  readonly workloads: WorkloadVerifier
  /** The clock by which tokens are good, in epoch milliseconds; the machine's unless given. */
  readonly now?: () => number
  /** Tenant of a `Host` header of the web door, `undefined` for an unknown host. */
  tenantOfHost(host: string): string | undefined | Promise<string | undefined>
}

const DEFAULT_TENANT = 'default'
const BEARER = 'bearer '
const TENANT = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/**
 * Finds out who calls and sets the call's caller and tenant. A credential that is there and not good refuses the call, on public RPCs too:
 * whoever sends one believes to be somebody. The web door has no workloads; a workload token means nothing there.
 */
export function identify(context: CallContext, options: CredentialOptions): Promise<void> | undefined {
  const { inbound } = context
  const authorization = inbound.header('authorization')
  if (inbound.door === 'web') return identifyOnWeb(context, authorization, options)
  const workloadToken = inbound.header(workloadHeader)
  if (authorization !== undefined || workloadToken !== undefined) return identifyOnGrpc(context, authorization, workloadToken, options)
  context.setTenant(DEFAULT_TENANT)
  return undefined
}

/** Verifies the person's token once more: it may have been revoked since. */
export async function verifyPerson(context: CallContext, options: CredentialOptions): Promise<void> {
  const authorization = context.inbound.header('authorization')
  if (authorization !== undefined) await personOf(authorization, options)
}

async function identifyOnWeb(context: CallContext, authorization: string | undefined, options: CredentialOptions): Promise<void> {
  const { host } = context.inbound
  const tenant = host === undefined ? undefined : await options.tenantOfHost(host.toLowerCase())
  if (tenant === undefined) throw commonRefusal(ErrorReason.NOT_SERVED)
  context.setTenant(tenant)
  if (authorization === undefined) return
  const person = await personOf(authorization, options)
  if (person.tenant !== tenant) throw commonRefusal(ErrorReason.WRONG_TENANT)
  context.caller = { person }
}

function identifyOnGrpc(
  context: CallContext,
  authorization: string | undefined,
  workloadToken: string | undefined,
  options: CredentialOptions,
): Promise<void> | undefined {
  const workload = workloadToken === undefined ? undefined : options.workloads.known?.(workloadToken)
  const person = authorization === undefined ? undefined : knownPerson(bearerOf(authorization), options)
  if ((workloadToken !== undefined && workload === undefined) || (authorization !== undefined && person === undefined))
    return verifyOnGrpc(context, authorization, workloadToken, options)
  setCaller(context, person, workload)
  return undefined
}

async function verifyOnGrpc(
  context: CallContext,
  authorization: string | undefined,
  workloadToken: string | undefined,
  options: CredentialOptions,
): Promise<void> {
  const workload = workloadToken === undefined ? undefined : await workloadOf(workloadToken, options.workloads)
  const person = authorization === undefined ? undefined : await personOf(authorization, options)
  setCaller(context, person, workload)
}

function setCaller(context: CallContext, person: Person | undefined, workload: string | undefined): void {
  context.caller = callerOf(person, workload)
  const named = workload === undefined ? undefined : context.inbound.header(tenantHeader)
  if (named !== undefined && !TENANT.test(named)) throw commonRefusal(ErrorReason.WRONG_TENANT)
  if (person === undefined) context.setTenant(named)
  else if (named !== undefined && named !== person.tenant) throw commonRefusal(ErrorReason.WRONG_TENANT)
  else context.setTenant(person.tenant)
}

function callerOf(person: Person | undefined, workload: string | undefined): Caller {
  if (person === undefined) return workload === undefined ? {} : { workload }
  return workload === undefined ? { person } : { person, workload }
}

/** The token of an `authorization` header; empty where it holds none. */
function bearerOf(authorization: string): string {
  return authorization.slice(0, BEARER.length).toLowerCase() === BEARER ? authorization.slice(BEARER.length).trim() : ''
}

function knownPerson(token: string, { accessTokens, apiKeys }: CredentialOptions): Person | undefined {
  return isApiKey(token) ? apiKeys?.known(token) : accessTokens.known?.(token)
}

/** An API key stands where an access token would, and is told from it by its prefix: no JWT begins like it. */
async function personOf(authorization: string, { accessTokens, apiKeys }: CredentialOptions): Promise<Person> {
  const token = bearerOf(authorization)
  if (token === '' || (isApiKey(token) && apiKeys === undefined)) throw commonRefusal(ErrorReason.ACCESS_TOKEN_INVALID)
  try {
    return await (isApiKey(token) && apiKeys ? apiKeys.verify(token) : accessTokens.verify(token))
  } catch (error) {
    throw refusalOf(error, ErrorReason.ACCESS_TOKEN_INVALID)
  }
}

async function workloadOf(token: string, workloads: WorkloadVerifier): Promise<string> {
  try {
    return await workloads.verify(token)
  } catch (error) {
    throw refusalOf(error, ErrorReason.WORKLOAD_TOKEN_INVALID)
  }
}

function refusalOf(error: unknown, reason: ErrorReason): Refusal | unknown {
  if (error instanceof TokenInvalid) return commonRefusal(reason, {}, { cause: error })
  if (error instanceof VerificationUnavailable)
    return commonRefusal(ErrorReason.DEPENDENCY_UNAVAILABLE, { dependency: 'auth' }, { cause: error })
  return error
}
