import { fromJson, type JsonValue, toJson, toJsonString } from '@bufbuild/protobuf'
import { type Command, CommandProblem } from '@gatehouse/cli'
import { ConnectionSettingsSchema } from '@gatehouse/contracts/gatehouse/auth/v1/connection_pb'
import { type CreateConnectionRequest, CreateConnectionRequestSchema } from '@gatehouse/contracts/gatehouse/auth/v1/connection_service_pb'
import { compileRequestCheck, Refusal } from '@gatehouse/rpc'
import { print } from '@gatehouse/service'
import { createConnection, deleteConnection, disableConnection, updateConnection } from './core/connections/change-connection.ts'
import { connectionEtag, redirectUriOf, settingsOf } from './core/connections/connection-content.ts'
import { getConnection, listConnections, testConnection } from './core/connections/list-connections.ts'
import { originOf } from './core/connections/redeem.ts'
import { createUpstreams } from './core/connections/upstreams.ts'
import { createEgress } from './core/egress/egress.ts'
import { defaultTenant } from './core/tenants/create-tenant.ts'
import { none, operated, word } from './operated.ts'

const problems: string[] = []
const check = compileRequestCheck(CreateConnectionRequestSchema, problems)
const oneConnection = 'the id of one connection (gatehouse connections list)'
/** Not in the command's words, which every process of the machine can read. */
const secretVariable = 'CONNECTION_SECRET'

const switched = (name: 'disable' | 'enable', summary: string): Command => ({
  name: `connections ${name}`,
  usage: 'ID [--tenant ID]',
  summary,
  run: operated(async ({ deps }, words, { tenant = defaultTenant }) => {
    const connectionId = word(words, oneConnection)
    await disableConnection(deps, { tenant, connectionId }, name === 'disable')
    print(`${connectionId} is ${name}d: every replica goes by it within a second`)
  }),
})

/** What an operator does with providers that sign people in. */
export const connectionCommands: readonly Command[] = [
  {
    name: 'connections create',
    usage: 'ID JSON [--issuer URL] [--tenant ID]',
    summary: `makes a connection of ConnectionSettings, such as '{"name": "Google", "clientId": "…", "domains": ["corp.example"]}', with the provider's secret in ${secretVariable}; without an issuer it is GitHub`,
    run: operated(async ({ deps }, words, { tenant = defaultTenant, issuer = '' }, env) => {
      const kind = issuer === '' ? 'github' : 'oidc'
      const { connectionId, settings } = checked(words, kind, issuer)
      const input = { tenant, connectionId, kind, issuer, settings } as const
      await inWords(createConnection(deps, { ...input, secret: env[secretVariable] ?? '', granter: 'operator' }))
      print(`register with the provider: ${redirectUriOf(await originOf(deps, tenant), connectionId)}`)
    }),
  },
  {
    name: 'connections update',
    usage: 'ID JSON [--tenant ID]',
    summary: `changes what is given of its ConnectionSettings, and its secret where ${secretVariable} is set`,
    run: operated(async ({ deps }, [connectionId = '', json = '', ...more], { tenant = defaultTenant }, env) => {
      const given = jsonOf(json)
      const key = { tenant, connectionId }
      const row = await getConnection(deps, key)
      const whole = { ...(toJson(ConnectionSettingsSchema, settingsOf(row)) as object), ...given }
      const { settings } = checked([connectionId, JSON.stringify(whole), ...more], 'oidc', '')
      await inWords(
        updateConnection(deps, { ...key, settings, secret: env[secretVariable] ?? '', etag: connectionEtag(row), granter: 'operator' }),
      )
      print(`${connectionId} is changed: every replica goes by it within a second`)
    }),
  },
  {
    name: 'connections list',
    usage: '[--tenant ID]',
    summary: 'lists the connections of a tenant',
    run: operated(async ({ deps }, words, { tenant = defaultTenant }) => {
      none(words)
      const { connections } = await listConnections(deps, { tenant, pageSize: 200, pageToken: '' })
      for (const { connection_id, issuer, disable_time, enforce, domains, name } of connections)
        print([connection_id, issuer, disable_time ? 'disabled' : enforce ? 'enforced' : 'enabled', domains.join(','), name].join('\t'))
    }),
  },
  {
    name: 'connections show',
    usage: 'ID [--tenant ID]',
    summary: 'prints the settings of a connection, as JSON',
    run: operated(async ({ deps }, words, { tenant = defaultTenant }) => {
      const row = await getConnection(deps, { tenant, connectionId: word(words, oneConnection) })
      print(toJsonString(ConnectionSettingsSchema, settingsOf(row), { prettySpaces: 2 }))
    }),
  },
  {
    name: 'connections test',
    usage: 'ID [--tenant ID]',
    summary: 'reads the discovery document of the provider, from this machine',
    run: operated(async ({ deps, config }, words, { tenant = defaultTenant }) => {
      const upstreams = createUpstreams({ ...deps, egress: createEgress({ allow: config.oidcEgressAllow }) })
      const places = await testConnection({ ...deps, upstreams }, { tenant, connectionId: word(words, oneConnection) })
      for (const place of Object.values(places)) print(place)
    }),
  },
  switched('disable', 'lets nobody sign in by it, nor has anybody come that way; sessions go on'),
  switched('enable', 'lets a connection come back'),
  {
    name: 'connections delete',
    usage: 'ID [--tenant ID]',
    summary: 'removes a connection and every link that people have by it',
    run: operated(async ({ deps }, words, { tenant = defaultTenant }) => {
      const connectionId = word(words, oneConnection)
      await deleteConnection(deps, { tenant, connectionId })
      print(`${connectionId} is gone`)
    }),
  },
]

/** An id and settings as the contract's rules take them: they are those of the door. */
function checked([connectionId, json, ...more]: readonly string[], kind: 'oidc' | 'github', issuer: string) {
  if (connectionId === undefined || json === undefined || more.length > 0)
    throw new CommandProblem('This command takes an id and ConnectionSettings as JSON.')
  const request = parsed({ connectionId, kind: `CONNECTION_KIND_${kind.toUpperCase()}`, issuer, settings: jsonOf(json) })
  try {
    check(request)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    throw new CommandProblem([error.message, ...error.violations.map(({ field, description }) => `${field}: ${description}`)].join(' '))
  }
  const { settings } = request
  if (settings === undefined) throw new CommandProblem('The settings are missing.')
  return { connectionId, settings }
}

function parsed(request: JsonValue): CreateConnectionRequest {
  try {
    return fromJson(CreateConnectionRequestSchema, request)
  } catch (error) {
    throw new CommandProblem(`These are no ConnectionSettings: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function jsonOf(text: string): { [key: string]: JsonValue } {
  try {
    return JSON.parse(text)
  } catch {
    throw new CommandProblem('The second word is no JSON.')
  }
}

async function inWords<T>(act: Promise<T>): Promise<T> {
  try {
    return await act
  } catch (error) {
    throw error instanceof Refusal && error.reason === 'CONNECTION_INVALID' ? new CommandProblem(error.message) : error
  }
}
