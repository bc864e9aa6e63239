import { compileIdentityCondition, compileIdentityText, type SeenIdentity } from '@gatehouse/identity'
import type { Mapping } from '../../store/connections/connection-tables.ts'
import type { ConnectionRow } from '../../store/connections/connections.ts'
import { countMembers, deleteMemberships, findGroup, insertMember, listGroupIdsOf } from '../../store/groups.ts'
import { changeAccess } from '../access/change-access.ts'
import { tellGroupChanged } from '../access/events.ts'
import { accessLimits } from '../access/limits.ts'
import type { ConnectionDeps } from './redeem.ts'
import type { UpstreamAssertion } from './upstream-assertion.ts'

interface Compiled {
  readonly name: ((identity: SeenIdentity) => string | undefined) | undefined
  readonly groups: readonly { readonly groupId: string; readonly holds: (identity: SeenIdentity) => boolean }[]
}

const compiled = new WeakMap<Mapping, Compiled>()

function compiledOf({ mapping }: Pick<ConnectionRow, 'mapping'>): Compiled {
  const known = compiled.get(mapping)
  if (known !== undefined) return known
  const groups = mapping.groups.map(({ groupId, condition }) => ({ groupId, holds: compileIdentityCondition(condition) }))
  const made = { name: mapping.name === '' ? undefined : compileIdentityText(mapping.name), groups }
  compiled.set(mapping, made)
  return made
}

/** The longest name that the user service takes. */
const longestName = 100

/** What an account is called that is made: there is always something. */
export function nameOf(connection: ConnectionRow, assertion: UpstreamAssertion): string {
  const mapped = compiledOf(connection).name?.(seen(assertion))
  const found = [mapped, assertion.name, assertion.email.slice(0, assertion.email.lastIndexOf('@'))]
  const tidy = found.map((each) => (each ?? '').replace(/[\p{Cc}\p{Cf}]/gu, ' ').trim())
  return [...(tidy.find((each) => each !== '') ?? 'Somebody')].slice(0, longestName).join('')
}

/** Puts somebody into the groups that the mapping names, and out of them, by what was just said. One that is full or gone is left, and logged: the sign-in goes on. */
export async function mapGroups(deps: ConnectionDeps, connection: ConnectionRow, assertion: UpstreamAssertion, userId: string) {
  const { groups } = compiledOf(connection)
  if (groups.length === 0) return
  const { tenant } = connection
  const identity = seen(assertion)
  const wanted = new Set(groups.filter(({ holds }) => holds(identity)).map(({ groupId }) => groupId))
  const named = [...new Set(groups.map(({ groupId }) => groupId))].sort()
  const differing = (held: readonly string[]) => named.filter((id) => wanted.has(id) !== held.includes(id))
  if (differing(await listGroupIdsOf(deps.db, { tenant, memberId: userId })).length === 0) return
  await changeAccess(deps, tenant, async (change) => {
    const { tx } = change
    const held = await listGroupIdsOf(tx, { tenant, memberId: userId })
    let count = held.length
    for (const id of differing(held)) {
      if (wanted.has(id)) {
        const isThere = (await findGroup(tx, { tenant, id })) !== undefined
        const isFull = count >= accessLimits.memberships || (await countMembers(tx, { tenant, groupId: id })) >= accessLimits.members
        if (!isThere || isFull) {
          deps.log.warn({ tenant, connection: connection.connection_id, group: id }, 'a mapped group is gone or full')
          continue
        }
        await insertMember(tx, { tenant, group_id: id, member_id: userId, member_kind: 'person' })
        count += 1
      } else {
        await deleteMemberships(tx, { tenant, memberId: userId, groupId: id })
        count -= 1
      }
      await change.tell([{ kind: 'member', name: `${id}/${userId}` }])
      await tellGroupChanged(change, id, { kind: wanted.has(id) ? 'group_member_add' : 'group_member_remove', member: userId })
    }
  })
}

const mostListed = 1_000

function seen({ issuer, subject, email, name, claims }: UpstreamAssertion): SeenIdentity {
  const list = (value: unknown) => (Array.isArray(value) ? value.filter((each) => typeof each === 'string').slice(0, mostListed) : [])
  const texts = Object.entries(claims).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
  return {
    issuer,
    subject,
    email,
    name,
    groups: list(claims.groups),
    roles: list(claims.roles),
    claims: new Map(texts.map(([key, value]) => [key, String(value)])),
  }
}
