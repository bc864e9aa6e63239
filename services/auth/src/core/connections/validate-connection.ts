import { ConditionInvalid, compileIdentityCondition, compileIdentityText } from '@gatehouse/identity'
import type { Refusal } from '@gatehouse/rpc'
import { listBindingsOf } from '../../store/bindings.ts'
import type { ConnectionContent, ConnectionRow } from '../../store/connections/connections.ts'
import { findGroup } from '../../store/groups.ts'
import { assertHolds } from '../access/assert-holds.ts'
import type { Changing, Granter } from '../access/change-access.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { githubIssuer } from './github-upstream.ts'

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The issuer as it is kept: exactly as the provider writes it. */
export function issuerOf(kind: ConnectionRow['kind'], given: string): string {
  if (kind === 'github') return given === '' ? githubIssuer : originIn(given)
  if (given === '') throw invalid('issuer', 'is missing')
  const url = parsed(given)
  if (url.search !== '' || given.includes('#')) throw invalid('issuer', 'has a query or a fragment')
  // Their documents name an issuer that nobody's tokens have, or take anybody of any company.
  if (url.hostname === 'login.microsoftonline.com' && !uuid.test(url.pathname.split('/')[1] ?? ''))
    throw invalid('issuer', 'has to name one tenant by its id: common, organizations and consumers take anybody')
  return given
}

function originIn(given: string): string {
  const { origin } = parsed(given)
  if (given !== origin) throw invalid('issuer', 'has to be the address of the server alone')
  return origin
}

function parsed(given: string): URL {
  if (!URL.canParse(given)) throw invalid('issuer', 'is no URL')
  const url = new URL(given)
  if (url.username !== '' || url.password !== '') throw invalid('issuer', 'has a name or a password in it')
  return url
}

/** Refuses what would fail with every sign-in. */
export function checkMapping({ mapping }: Pick<ConnectionContent, 'mapping'>): void {
  const check = (field: string, compile: () => unknown) => {
    try {
      compile()
    } catch (error) {
      throw error instanceof ConditionInvalid ? invalid(field, `is wrong at ${error.message}`) : error
    }
  }
  if (mapping.name !== '') check('mapping.name', () => compileIdentityText(mapping.name))
  for (const [index, { condition }] of mapping.groups.entries())
    check(`mapping.groups[${index}].condition`, () => compileIdentityCondition(condition))
}

/** Whoever says who gets into a group says who gets what is bound to it: they have to hold that themselves. */
export async function assertMayMap(change: Changing, granter: Granter, { mapping }: Pick<ConnectionContent, 'mapping'>, now: number) {
  const { tx, tenant } = change
  for (const id of new Set(mapping.groups.map(({ groupId }) => groupId))) {
    if (!(await findGroup(tx, { tenant, id }))) throw refuse(ErrorReason.GROUP_NOT_FOUND)
    for (const { role, resource, expire_time } of await listBindingsOf(tx, tenant, [id]))
      await assertHolds(change, granter, { role }, { resource, expireTime: expire_time }, now)
  }
}

export function invalid(field: string, problem: string): Refusal {
  return refuse(ErrorReason.CONNECTION_INVALID, { field, problem })
}
