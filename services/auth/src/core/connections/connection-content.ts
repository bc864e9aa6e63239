import { create } from '@bufbuild/protobuf'
import {
  ConnectionJit,
  ConnectionKind,
  type ConnectionSettings,
  ConnectionSettingsSchema,
} from '@gatehouse/contracts/gatehouse/auth/v1/connection_pb'
import type { Jit } from '../../store/connections/connection-tables.ts'
import type { ConnectionContent, ConnectionRow } from '../../store/connections/connections.ts'

const jits = { off: ConnectionJit.OFF, invited: ConnectionJit.INVITED, on: ConnectionJit.ON } as const satisfies Record<Jit, ConnectionJit>

/** What is stored of settings; the secret goes its own way. */
export function contentOf(settings: ConnectionSettings): Omit<ConnectionContent, 'secret'> {
  const jit = (Object.keys(jits) as Jit[]).find((name) => jits[name] === settings.jit) ?? 'off'
  const { name = '', groups = [] } = settings.mapping ?? {}
  return {
    name: settings.name,
    client_id: settings.clientId,
    scopes: settings.scopes,
    domains: [...settings.domains].sort(),
    jit,
    trusted_email: settings.trustedEmail,
    enforce: settings.enforce,
    hidden: settings.hidden,
    mapping: { name, groups: groups.map(({ groupId, condition }) => ({ groupId, condition })) },
  }
}

export function settingsOf(row: Omit<ConnectionContent, 'secret'>): ConnectionSettings {
  return create(ConnectionSettingsSchema, {
    name: row.name,
    clientId: row.client_id,
    scopes: [...row.scopes],
    domains: [...row.domains],
    jit: jits[row.jit],
    trustedEmail: row.trusted_email,
    enforce: row.enforce,
    hidden: row.hidden,
    mapping: { name: row.mapping.name, groups: row.mapping.groups.map((group) => ({ ...group })) },
  })
}

export const kindOf = (kind: ConnectionRow['kind']): ConnectionKind => (kind === 'github' ? ConnectionKind.GITHUB : ConnectionKind.OIDC)

/** The version in a form that nobody mistakes for a number to count with. */
export const connectionEtag = ({ version }: Pick<ConnectionRow, 'version'>): string => `v${version.toString(36)}`

/** What has to be registered with the provider: one for each connection, so that an answer of one is never taken for another's (RFC 9700, 4.4). */
export const redirectUriOf = (origin: string, connectionId: string): string => `${origin}/connections/callback/${connectionId}`
