import { create } from '@bufbuild/protobuf'
import { type AccessFact, AccessFactSchema } from '@gatehouse/contracts/gatehouse/auth/v1/access_pb'
import { sql } from 'kysely'
import type { ChangeRow } from '../../store/access-changes.ts'
import { type BindingRow, findBindings, listAllBindings } from '../../store/bindings.ts'
import type { Db } from '../deps.ts'
import { supportPermissions, supportRole } from '../roles/built-in-roles.ts'
import { bindingMessage } from './binding-message.ts'

type Fact = AccessFact['fact']

const pageSize = 1_000

const factOf = (tenant: string, fact: Fact): AccessFact => create(AccessFactSchema, { tenant, fact })
const roleFact = (name: string, permissions: readonly string[]): Fact =>
  ({ case: 'role', value: { name, permissions: [...permissions] } }) as Fact
const bindingFact = (row: BindingRow): AccessFact => factOf(row.tenant, { case: 'binding', value: bindingMessage(row) })

/** Everything there is, in pages. */
export async function* allFacts(db: Db): AsyncGenerator<AccessFact[]> {
  yield [factOf('', roleFact(supportRole, supportPermissions))]
  yield* pages(
    (after: RoleKey | undefined) => readRoles(db, after),
    (row) => factOf(row.tenant, roleFact(row.name, row.permissions)),
  )
  yield* pages(
    (after: MemberKey | undefined) => readMembers(db, after),
    (row) => factOf(row.tenant, memberFact('member', row)),
  )
  yield* pages((after: BindingRow | undefined) => listAllBindings(db, after, pageSize), bindingFact)
}

/** What became of what changed. */
export async function factsOf(db: Db, changes: readonly ChangeRow[]): Promise<AccessFact[]> {
  const of = Map.groupBy(changes, ({ kind }) => kind)
  return [
    ...(await roleFacts(db, of.get('role') ?? [])),
    ...(await memberFacts(db, of.get('member') ?? [])),
    ...(await bindingFacts(db, of.get('binding') ?? [])),
  ]
}

async function roleFacts(db: Db, changes: readonly ChangeRow[]): Promise<AccessFact[]> {
  if (changes.length === 0) return []
  const keys = { tenants: changes.map(({ tenant }) => tenant), names: changes.map(({ name }) => name) }
  const { rows } = await sql<RoleKey & { permissions: string[] }>`
    select tenant, name, permissions from roles
    where (tenant, name) in (select * from unnest(${keys.tenants}::text[], ${keys.names}::text[]))`.execute(db)
  const found = new Map(rows.map((row) => [`${row.tenant} ${row.name}`, row]))
  return changes.map(({ tenant, name }) => {
    const row = found.get(`${tenant} ${name}`)
    return factOf(tenant, row ? roleFact(name, row.permissions) : { case: 'roleGone', value: name })
  })
}

async function memberFacts(db: Db, changes: readonly ChangeRow[]): Promise<AccessFact[]> {
  if (changes.length === 0) return []
  const keys = changes.map(({ tenant, name }) => {
    const [group_id = '', member_id = ''] = name.split('/')
    return { tenant, group_id, member_id }
  })
  const { rows } = await sql<MemberKey>`
    select tenant, group_id, member_id from group_members where (tenant, group_id, member_id) in (
      select * from unnest(${keys.map((key) => key.tenant)}::text[], ${keys.map((key) => key.group_id)}::uuid[],
        ${keys.map((key) => key.member_id)}::uuid[]))`.execute(db)
  const found = new Set(rows.map((row) => `${row.tenant} ${row.group_id} ${row.member_id}`))
  return keys.map((key) =>
    factOf(key.tenant, memberFact(found.has(`${key.tenant} ${key.group_id} ${key.member_id}`) ? 'member' : 'memberGone', key)),
  )
}

async function bindingFacts(db: Db, changes: readonly ChangeRow[]): Promise<AccessFact[]> {
  if (changes.length === 0) return []
  const rows = await findBindings(
    db,
    changes.map(({ tenant, name }) => ({ tenant, id: name })),
  )
  const found = new Map(rows.map((row) => [`${row.tenant} ${row.id}`, row]))
  return changes.map(({ tenant, name }) => {
    const row = found.get(`${tenant} ${name}`)
    return row ? bindingFact(row) : factOf(tenant, { case: 'bindingGone', value: name })
  })
}

function memberFact(kind: 'member' | 'memberGone', row: MemberKey): Fact {
  return { case: kind, value: { groupId: row.group_id, memberId: row.member_id } } as Fact
}

interface RoleKey {
  readonly tenant: string
  readonly name: string
}

interface MemberKey {
  readonly tenant: string
  readonly group_id: string
  readonly member_id: string
}

async function* pages<Row>(load: (after: Row | undefined) => Promise<Row[]>, tell: (row: Row) => AccessFact): AsyncGenerator<AccessFact[]> {
  let after: Row | undefined
  do {
    const page = await load(after)
    if (page.length > 0) yield page.map(tell)
    after = page.length === pageSize ? page.at(-1) : undefined
  } while (after !== undefined)
}

async function readRoles(db: Db, after: RoleKey | undefined): Promise<(RoleKey & { permissions: string[] })[]> {
  const where = after === undefined ? sql`true` : sql`(tenant, name) > (${after.tenant}, ${after.name})`
  const { rows } = await sql<RoleKey & { permissions: string[] }>`
    select tenant, name, permissions from roles where ${where} order by tenant, name limit ${pageSize}::integer`.execute(db)
  return rows
}

async function readMembers(db: Db, after: MemberKey | undefined): Promise<MemberKey[]> {
  const where =
    after === undefined
      ? sql`true`
      : sql`(tenant, group_id, member_id) > (${after.tenant}, ${after.group_id}::uuid, ${after.member_id}::uuid)`
  const { rows } = await sql<MemberKey>`
    select tenant, group_id, member_id from group_members where ${where}
    order by tenant, group_id, member_id limit ${pageSize}::integer`.execute(db)
  return rows
}
