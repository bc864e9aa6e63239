import { create } from '@bufbuild/protobuf'
import type { ServiceImpl } from '@connectrpc/connect'
import { ConnectionKind, ConnectionSettingsSchema } from '@gatehouse/contracts/gatehouse/auth/v1/connection_pb'
import type { ConnectionService } from '@gatehouse/contracts/gatehouse/auth/v1/connection_service_pb'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { type Call, callOf, commonRefusal } from '@gatehouse/rpc'
import { createConnection, deleteConnection, disableConnection, updateConnection } from '../core/connections/change-connection.ts'
import { completeConnectionSignIn } from '../core/connections/complete-sign-in.ts'
import { listIdentities, unlinkIdentity } from '../core/connections/identities.ts'
import { beginLink, completeLink } from '../core/connections/link-identity.ts'
import { getConnection, listConnections, signInConnections, testConnection } from '../core/connections/list-connections.ts'
import { attemptSeconds, beginAtConnection, type ConnectionDeps, nobodyYet, originOf } from '../core/connections/redeem.ts'
import type { OwnSession } from '../core/factors/assert-strong-enough.ts'
import type { ConnectionRow } from '../store/connections/connections.ts'
import { connectionMessage, identityMessage, signInMessage } from './connection-messages.ts'
import { granterOf } from './granter-of.ts'
import { placeOf } from './place-of.ts'
import { allowCookie, resultOf } from './session-cookie.ts'

/** Binds what was begun to the browser. Only a page of ours, by which the answer comes in, has it sent. */
const cookieName = '__Host-gatehouse-upstream'

const unset = create(ConnectionSettingsSchema)

/** People who are signed in elsewhere. */
export function connectionService(deps: ConnectionDeps) {
  const answered = async (row: ConnectionRow) => ({ connection: connectionMessage(row, await originOf(deps, row.tenant)) })
  return {
    async createConnection({ connectionId, kind, issuer, settings = unset, clientSecret: secret }, context) {
      const call = callOf(context)
      const named = kind === ConnectionKind.GITHUB ? 'github' : 'oidc'
      const input = { tenant: call.tenant, connectionId, kind: named, issuer, settings, secret, granter: granterOf(call) } as const
      return await answered(await createConnection(deps, input))
    },
    async getConnection({ connectionId }, context) {
      return await answered(await getConnection(deps, { tenant: callOf(context).tenant, connectionId }))
    },
    async listConnections({ pageSize, pageToken }, context) {
      const { tenant } = callOf(context)
      const { connections, nextPageToken } = await listConnections(deps, { tenant, pageSize, pageToken })
      const origin = await originOf(deps, tenant)
      return { connections: connections.map((row) => connectionMessage(row, origin)), nextPageToken }
    },
    async updateConnection({ connectionId, settings = unset, clientSecret: secret, etag }, context) {
      const call = callOf(context)
      const input = { tenant: call.tenant, connectionId, settings, secret, etag, granter: granterOf(call) }
      return await answered(await updateConnection(deps, input))
    },
    async testConnection({ connectionId }, context) {
      return await testConnection(deps, { tenant: callOf(context).tenant, connectionId })
    },
    async disableConnection({ connectionId }, context) {
      return await answered(await disableConnection(deps, { tenant: callOf(context).tenant, connectionId }, true))
    },
    async enableConnection({ connectionId }, context) {
      return await answered(await disableConnection(deps, { tenant: callOf(context).tenant, connectionId }, false))
    },
    async deleteConnection({ connectionId }, context) {
      await deleteConnection(deps, { tenant: callOf(context).tenant, connectionId })
      return {}
    },
    async listSignInConnections({ email }, context) {
      const { shown, ofDomain } = await signInConnections(deps, { tenant: callOf(context).tenant, email })
      return {
        connections: shown.map((row) => signInMessage(row)),
        ...(ofDomain && { ofDomain: signInMessage(ofDomain, ofDomain.enforce) }),
      }
    },
    async beginConnectionSignIn({ connectionId, email }, context) {
      const call = callOf(context)
      const begun = await beginAtConnection(deps, { ...nobodyYet, tenant: call.tenant, connectionId, email, browser: browserOf(call) })
      return keepIn(call, begun)
    },
    async completeConnectionSignIn({ connectionId, state, code, iss, useCookie }, context) {
      const call = callOf(context)
      allowCookie(call, useCookie)
      const place = placeOf(call, useCookie)
      const input = { tenant: call.tenant, connectionId, state, code, iss, browser: browserOf(call), place }
      return { result: resultOf(deps, call, await completeConnectionSignIn(deps, input), useCookie) }
    },
    async beginLink({ connectionId }, context) {
      const call = callOf(context)
      return keepIn(call, await beginLink(deps, ownerOf(call), { connectionId, browser: browserOf(call) }))
    },
    async completeLink({ connectionId, state, code, iss }, context) {
      const call = callOf(context)
      const linked = await completeLink(deps, ownerOf(call), { connectionId, state, code, iss, browser: browserOf(call) })
      return { identity: identityMessage(linked) }
    },
    async listLinkedIdentities(_, context) {
      const identities = await listIdentities(deps, ownerOf(callOf(context)))
      return { identities: identities.map(identityMessage) }
    },
    async unlinkIdentity({ identityId }, context) {
      await unlinkIdentity(deps, ownerOf(callOf(context)), identityId)
      return {}
    },
  } satisfies ServiceImpl<typeof ConnectionService>
}

/** What the browser keeps; whoever is none, or comes from another site's page, is refused. */
function browserOf(call: Call): string {
  if (call.door !== 'web') throw commonRefusal(ErrorReason.ORIGIN_NOT_ALLOWED)
  return call.cookies.get(cookieName) ?? ''
}

function keepIn(call: Call, { url, browser }: { readonly url: string; readonly browser: string }) {
  call.cookies.set(cookieName, browser, { maxAgeSeconds: attemptSeconds, path: '/' })
  return { url }
}

function ownerOf(call: Call): OwnSession {
  const { tenant, id: userId, sessionId } = call.person()
  return { tenant, userId, sessionId }
}
