import { type Command, CommandFailed, CommandProblem } from '@gatehouse/cli'
import { duration } from '@gatehouse/config'
import { print } from '@gatehouse/service'
import { endRegistrationToken, makeRegistrationToken } from './core/oidc/registration/registration-tokens.ts'
import { defaultTenant } from './core/tenants/create-tenant.ts'
import { none, operated, word } from './operated.ts'

const defaultClients = 20
const mostClients = 1_000
const longestMs = 30 * 86_400_000

/** How an operator lets programs register themselves (RFC 7591). */
export const registrationCommands: readonly Command[] = [
  {
    name: 'clients registration-token',
    usage: '[--limit 20] [--lifetime 1d] [--tenant ID]',
    summary: 'makes a token with which programs register themselves as clients, so many for so long, and prints it once',
    run: operated(async ({ deps, config }, words, { tenant = defaultTenant, limit, lifetime = '1d' }) => {
      none(words)
      const clients = clientsOf(limit)
      const lifetimeSeconds = secondsOf(lifetime)
      if (!config.oidcRegistration) throw new CommandProblem('Nobody could use it: OIDC_REGISTRATION is off.')
      const { token } = await makeRegistrationToken(deps, { tenant, clients, lifetimeSeconds })
      print(token)
    }),
  },
  {
    name: 'clients end-registration-token',
    usage: 'TOKEN [--tenant ID]',
    summary: 'lets nobody register with it any more; the clients that did stay',
    run: operated(async ({ deps }, words, { tenant = defaultTenant }) => {
      const token = word(words, 'one token of gatehouse clients registration-token')
      if (!(await endRegistrationToken(deps, { tenant, token }))) throw new CommandFailed('There is no such token; it may have expired.')
      print('the token has ended')
    }),
  },
]

function clientsOf(text: string | undefined): number {
  const clients = text === undefined ? defaultClients : Number(text)
  if (Number.isInteger(clients) && clients >= 1 && clients <= mostClients) return clients
  throw new CommandProblem(`--limit has to be a whole number from 1 to ${mostClients}.`)
}

function secondsOf(text: string): number {
  try {
    const ms = duration({ about: '' }).parse(text)
    if (ms < 60_000 || ms > longestMs) throw new Error('has to be from 1m to 30d')
    return Math.floor(ms / 1000)
  } catch (error) {
    throw new CommandProblem(`--lifetime ${error instanceof Error ? error.message : String(error)}.`)
  }
}
