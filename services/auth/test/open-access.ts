import { startAccessFeed } from '../src/core/access/access-feed.ts'
import type { AccessDeps } from '../src/core/access/change-access.ts'
import { createBinding } from '../src/core/bindings/create-binding.ts'
import type { Deps } from '../src/core/deps.ts'
import { type OpenedDeps, openDeps } from './open-deps.ts'

/** One replica of auth, as far as who may do what is concerned. */
export interface AccessReplica extends AccessDeps {
  readonly feed: ReturnType<typeof startAccessFeed>
}

/** The use cases of who may do what, over a database of their own. */
export interface OpenedAccess extends AsyncDisposable {
  readonly opened: OpenedDeps
  readonly access: AccessReplica
  /** Another replica, with a pool and a feed of its own. */
  replica(): Promise<AccessReplica>
  /** An active person who may do everything. */
  administrator(tenant?: string): Promise<string>
}

export const tenant = 'default'

let counter = 0

/** A request that wants no promise about its repetition. */
export const unrepeated = { requestId: '', caller: 'test', method: 'test', fingerprint: '' }

export async function openAccess(): Promise<OpenedAccess> {
  await using parts = new AsyncDisposableStack()
  const opened = parts.use(await openDeps())

  async function of(deps: Deps): Promise<AccessReplica> {
    const feed = owned.use(startAccessFeed({ db: deps.db, log: deps.log, now: deps.now, pollMs: 20 }))
    await feed.ready
    return { ...deps, feed, accessChanged: feed.refresh }
  }
  let owned: AsyncDisposableStack = parts
  const access = await of(opened.deps)
  owned = parts.move()
  return {
    opened,
    access,
    replica: () => of(opened.replica()),
    async administrator(of = tenant) {
      const { id } = opened.people.add(of, { email: `administrator-${++counter}@example.com` })
      const what = { role: 'administrator', resource: '', condition: '', expireTime: null }
      await createBinding(access, { tenant: of, granter: 'operator', subject: { kind: 'person', id }, ...what, request: unrepeated })
      return id
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Gives a role, to a person on everything and always unless told otherwise. */
export async function bind(
  deps: AccessDeps,
  role: string,
  id: string,
  more: Partial<Omit<Parameters<typeof createBinding>[1], 'role'>> & { kind?: 'person' | 'service_account' | 'group' } = {},
) {
  const { kind = 'person', ...rest } = more
  const input = { tenant, granter: 'operator', resource: '', condition: '', expireTime: null, request: unrepeated } as const
  return await createBinding(deps, { ...input, role, subject: { kind, id }, ...rest })
}
