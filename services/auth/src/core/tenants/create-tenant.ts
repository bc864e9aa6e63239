import { transact } from '@gatehouse/postgres'
import { insertTenant, lockTenant, moveTenant, putTenantHosts } from '../../store/tenants.ts'
import { audit } from '../audit/audit.ts'
import type { Deps } from '../deps.ts'
import { assertOpens } from '../keys/assert-opens.ts'
import { ensureKeys } from '../keys/ensure-keys.ts'

/** The tenant that is always there. */
export const defaultTenant = 'default'

/** Lower-case letters, digits and hyphens inside; it stands in subjects and headers. */
const idPattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/** What was asked for cannot be done; the message says why, for the person at the keyboard. */
export class TenantRefused extends Error {
  override readonly name: string = 'TenantRefused'
}

/** What was asked for can never be. */
export class TenantMalformed extends TenantRefused {
  override readonly name = 'TenantMalformed'
}

export interface CreateTenantInput {
  readonly id: string
  /** Where its pages live: scheme, host and port, nothing behind. */
  readonly origin: string
}

type TenantDeps = Pick<Deps, 'db' | 'keys' | 'now'>

/** Makes a tenant with its first keys. The same again changes nothing; another origin for an existing one is refused. */
export async function createTenant(deps: TenantDeps, input: CreateTenantInput): Promise<void> {
  await assertOpens(deps.db, deps.keys, defaultTenant, new Date(deps.now()))
  await putTenant(deps, input, (origin) => {
    if (origin !== input.origin) throw new TenantRefused(`tenant ${input.id} exists already, at ${origin}`)
  })
}

/** Sees to it that the tenant `default` lives at the configured origin. Every replica does so at its start. */
export async function ensureDefaultTenant(deps: TenantDeps, origin: string): Promise<void> {
  await putTenant(deps, { id: defaultTenant, origin }, () => {})
}

async function putTenant(deps: TenantDeps, input: CreateTenantInput, checkOrigin: (existing: string) => void): Promise<void> {
  if (!idPattern.test(input.id)) throw new TenantMalformed(`${input.id} is no tenant id: use a-z, 0-9 and hyphens, 63 at most`)
  if (!URL.canParse(input.origin) || new URL(input.origin).origin !== input.origin)
    throw new TenantMalformed(`${input.origin} is no origin, such as https://id.example.com`)
  await transact(deps.db, async (tx) => {
    const isNew = await insertTenant(tx, input)
    const tenant = await lockTenant(tx, input.id)
    checkOrigin(tenant?.origin ?? input.origin)
    if (tenant?.origin !== input.origin) await moveTenant(tx, input)
    const taken = await putTenantHosts(tx, input.id, hostsOf(input.origin))
    if (taken !== undefined) throw new TenantRefused(`${taken} belongs to another tenant`)
    if (isNew) await audit(tx, { tenant: input.id, kind: 'tenant_create', subjectId: input.id })
    await ensureKeys(tx, deps.keys, input.id, deps.now())
  })
  deps.keys.forget(input.id)
}

/** `Host` headers that name the tenant: on one's own machine the loopback addresses are as good as `localhost`. */
function hostsOf(origin: string): string[] {
  const { hostname, host, port } = new URL(origin)
  if (hostname !== 'localhost') return [host]
  const suffix = port === '' ? '' : `:${port}`
  return [host, `127.0.0.1${suffix}`, `[::1]${suffix}`]
}
