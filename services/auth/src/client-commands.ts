import { type DescMessage, fromJsonString, type MessageShape, toJson, toJsonString } from '@bufbuild/protobuf'
import { type Command, CommandProblem } from '@gatehouse/cli'
import { duration } from '@gatehouse/config'
import { ClientOptionsSchema, ClientSettingsSchema } from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import { CreateClientRequestSchema } from '@gatehouse/contracts/gatehouse/auth/v1/client_service_pb'
import { compileRequestCheck, Refusal } from '@gatehouse/rpc'
import { print } from '@gatehouse/service'
import { clientRulesOf } from './config.ts'
import { isRegistered, settingsOf } from './core/oidc/clients/client-metadata.ts'
import { createClient } from './core/oidc/clients/create-client.ts'
import { deleteClient, disableClient } from './core/oidc/clients/disable-client.ts'
import { getClient, listClients } from './core/oidc/clients/list-clients.ts'
import { defaultOverlapSeconds, rotateSecret } from './core/oidc/clients/rotate-secret.ts'
import { clientEtag, updateClient } from './core/oidc/clients/update-client.ts'
import { defaultTenant } from './core/tenants/create-tenant.ts'
import { none, operated, word } from './operated.ts'

const problems: string[] = []
const check = compileRequestCheck(CreateClientRequestSchema, problems)
const oneClient = 'the id of one client (gatehouse clients list)'
const longestOverlapMs = 30 * 86_400_000

/** What an operator does with clients of OpenID Connect. */
export const clientCommands: readonly Command[] = [
  {
    name: 'clients create',
    usage: 'ID JSON [--tenant ID]',
    summary: `makes a client of ClientSettings, such as '{"name": "Grafana", "kind": "CLIENT_KIND_WEB", "redirectUris": ["https://grafana.example.com/login/generic_oauth"], "grantTypes": ["CLIENT_GRANT_TYPE_AUTHORIZATION_CODE"], "authMethod": "CLIENT_AUTH_METHOD_CLIENT_SECRET_BASIC"}', and prints its secret once`,
    run: operated(async ({ deps, config }, words, { tenant = defaultTenant }) => {
      const [clientId, settings] = checked(words)
      const { secret } = await inWords(createClient(deps, { tenant, clientId, settings }, clientRulesOf(config)))
      print(secret === '' ? `${clientId} has no secret` : secret)
    }),
  },
  {
    name: 'clients update',
    usage: 'ID JSON [--tenant ID]',
    summary: 'changes what is given of its ClientSettings, and of their options; people keep what they allowed',
    run: operated(async ({ deps, config }, [clientId = '', json = '', ...more], { tenant = defaultTenant }) => {
      // What is written wrongly is told before anything is looked for.
      settingsIn(json)
      const given = named(ClientSettingsSchema, jsonOf(json) as object)
      const { row } = await getClient(deps, { tenant, clientId })
      const before = toJson(ClientSettingsSchema, settingsOf(row)) as Members
      const options = { ...(before.options as object), ...named(ClientOptionsSchema, given.options as object | undefined) }
      const [, settings] = checked([clientId, JSON.stringify({ ...before, ...given, options }), ...more])
      await inWords(updateClient(deps, { tenant, clientId, settings, etag: clientEtag(row) }, clientRulesOf(config)))
      print(`${clientId} is changed: every replica goes by it within a second`)
    }),
  },
  {
    name: 'clients list',
    usage: '[--tenant ID]',
    summary: 'lists the clients of a tenant',
    run: operated(async ({ deps }, words, { tenant = defaultTenant }) => {
      none(words)
      let pageToken = ''
      do {
        const page = await listClients(deps, { tenant, pageSize: 200, pageToken })
        for (const { row, secrets } of page.clients)
          print(
            `${row.client_id}\t${row.disable_time ? `disabled ${row.disable_time.toISOString()}` : 'enabled'}\t${secrets.length} secrets\t${row.name}${isRegistered(row) ? '\tregistered itself' : ''}`,
          )
        pageToken = page.nextPageToken
      } while (pageToken !== '')
    }),
  },
  {
    name: 'clients show',
    usage: 'ID [--tenant ID]',
    summary: 'prints the settings of a client, as JSON',
    run: operated(async ({ deps }, words, { tenant = defaultTenant }) => {
      const { row } = await getClient(deps, { tenant, clientId: word(words, oneClient) })
      print(toJsonString(ClientSettingsSchema, settingsOf(row), { prettySpaces: 2 }))
    }),
  },
  {
    name: 'clients rotate',
    usage: 'ID [--overlap 1d] [--tenant ID]',
    summary: 'makes another secret of a client and prints it once; the old one ends after the overlap',
    run: operated(async ({ deps }, words, { tenant = defaultTenant, overlap }) => {
      const clientId = word(words, oneClient)
      const { secret } = await rotateSecret(deps, { tenant, clientId, overlapSeconds: overlapOf(overlap) })
      print(secret)
    }),
  },
  {
    name: 'clients disable',
    usage: 'ID [--tenant ID]',
    summary: 'gives a client nothing any more, within a second',
    run: operated(async ({ deps }, words, { tenant = defaultTenant }) => {
      const clientId = word(words, oneClient)
      await disableClient(deps, { tenant, clientId }, true)
      print(`${clientId} is disabled`)
    }),
  },
  {
    name: 'clients enable',
    usage: 'ID [--tenant ID]',
    summary: 'lets a client come back',
    run: operated(async ({ deps }, words, { tenant = defaultTenant }) => {
      const clientId = word(words, oneClient)
      await disableClient(deps, { tenant, clientId }, false)
      print(`${clientId} is enabled`)
    }),
  },
  {
    name: 'clients delete',
    usage: 'ID [--tenant ID]',
    summary: 'removes a client and ends what people allowed it; its id is never given again',
    run: operated(async ({ deps }, words, { tenant = defaultTenant }) => {
      const clientId = word(words, oneClient)
      await deleteClient(deps, { tenant, clientId })
      print(`${clientId} is gone`)
    }),
  },
]

/** An id and settings as the contract's rules take them: they are those of the door. */
function checked([clientId, json, ...more]: readonly string[]) {
  if (clientId === undefined || json === undefined || more.length > 0)
    throw new CommandProblem('This command takes an id and ClientSettings as JSON.')
  const request = parsed(CreateClientRequestSchema, JSON.stringify({ clientId, settings: jsonOf(json) }))
  try {
    check(request)
  } catch (error) {
    throw problemOf(error)
  }
  return [clientId, request.settings ?? settingsIn(json)] as const
}

type Members = Readonly<Record<string, unknown>>

/** The members that were written, under the names that protobuf writes: it takes those of the contract too. */
function named(schema: DescMessage, json: object | undefined): Members {
  const nameOf = (written: string) => schema.fields.find(({ name }) => name === written)?.jsonName ?? written
  return Object.fromEntries(Object.entries(json ?? {}).map(([name, value]) => [nameOf(name), value]))
}

const settingsIn = (json: string) => parsed(ClientSettingsSchema, json)

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new CommandProblem('The second word is no JSON.')
  }
}

function parsed<Desc extends DescMessage>(schema: Desc, json: string): MessageShape<Desc> {
  try {
    return fromJsonString(schema, json)
  } catch (error) {
    throw new CommandProblem(`These are no ClientSettings: ${error instanceof Error ? error.message : String(error)}`)
  }
}

async function inWords<T>(act: Promise<T>): Promise<T> {
  try {
    return await act
  } catch (error) {
    throw error instanceof Refusal && ['CLIENT_METADATA_INVALID', 'RESOURCE_UNKNOWN'].includes(error.reason)
      ? new CommandProblem(error.message)
      : error
  }
}

function problemOf(error: unknown): unknown {
  if (!(error instanceof Refusal)) return error
  return new CommandProblem([error.message, ...error.violations.map(({ field, description }) => `${field}: ${description}`)].join(' '))
}

function overlapOf(text: string | undefined): number {
  if (text === undefined) return defaultOverlapSeconds
  try {
    const ms = duration({ about: '' }).parse(text)
    if (ms > longestOverlapMs) throw new Error('has to be 30d at most')
    return Math.floor(ms / 1000)
  } catch (error) {
    throw new CommandProblem(`--overlap ${error instanceof Error ? error.message : String(error)}.`)
  }
}
