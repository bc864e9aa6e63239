import { type Command, CommandProblem } from '@gatehouse/cli'
import { duration } from '@gatehouse/config'
import { print } from '@gatehouse/service'
import { addResource, removeResource } from './core/oidc/clients/resources.ts'
import { defaultTenant } from './core/tenants/create-tenant.ts'
import { none, operated, word } from './operated.ts'
import { listResources } from './store/oidc/resources.ts'

const scopePattern = /^[a-z][a-z0-9_.:-]{0,99}$/
const audiencePattern = /^[!-~]{1,200}$/
const lifetimeMs = { least: 60_000, most: 600_000 }

/** What an operator does with what clients' tokens can be for. */
export const resourceCommands: readonly Command[] = [
  {
    name: 'resources add',
    usage: 'URI --scopes SCOPE,SCOPE [--audience AUD] [--lifetime 10m] [--tenant ID]',
    summary: 'registers a service that clients can have tokens for (RFC 8707); its audience is the URI unless given',
    run: operated(async ({ deps }, words, { tenant = defaultTenant, scopes = '', audience, lifetime = '10m' }) => {
      const resource = word(words, 'one resource indicator, which is a URI')
      if (!URL.canParse(resource) || resource.includes('#') || !audiencePattern.test(resource))
        throw new CommandProblem(`${resource} is no URI without a fragment.`)
      if (audience !== undefined && !audiencePattern.test(audience)) throw new CommandProblem(`${audience} cannot be an audience.`)
      const named = [...new Set(scopes.split(',').map((each) => each.trim()))].filter((each) => each !== '')
      const wrong = named.find((each) => !scopePattern.test(each))
      if (named.length === 0 || wrong !== undefined)
        throw new CommandProblem(`--scopes ${wrong ?? 'is missing'}: --scopes orders.read,orders.write`)
      await addResource(deps, { tenant, resource, audience: audience ?? resource, scopes: named, lifetimeSeconds: secondsOf(lifetime) })
      print(`${resource} is registered: clients that name it among their resources can have tokens for it`)
    }),
  },
  {
    name: 'resources list',
    usage: '[--tenant ID]',
    summary: 'lists what clients can have tokens for',
    run: operated(async ({ deps }, words, { tenant = defaultTenant }) => {
      none(words)
      for (const { resource, audience, scopes, lifetime_seconds } of await listResources(deps.db, { tenant }))
        print(`${resource}\t${audience}\t${scopes.join(',')}\t${lifetime_seconds}s`)
    }),
  },
  {
    name: 'resources remove',
    usage: 'URI [--tenant ID]',
    summary: 'gives no more tokens for it; those that are there end within ten minutes',
    run: operated(async ({ deps }, words, { tenant = defaultTenant }) => {
      const resource = word(words, 'one resource indicator (gatehouse resources list)')
      await removeResource(deps, { tenant, resource })
      print(`${resource} is forgotten`)
    }),
  },
]

function secondsOf(text: string): number {
  try {
    const ms = duration({ about: '' }).parse(text)
    if (ms < lifetimeMs.least || ms > lifetimeMs.most) throw new Error('has to be from 1m to 10m')
    return Math.floor(ms / 1000)
  } catch (error) {
    throw new CommandProblem(`--lifetime ${error instanceof Error ? error.message : String(error)}.`)
  }
}
