import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { createClient } from '@connectrpc/connect'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { forTenant } from '@gatehouse/rpc'
import { type App, openService, served } from '@gatehouse/service'
import type { UserConfig } from './config.ts'
import { userAdder } from './core/add-user.ts'
import type { Deps } from './core/deps.ts'
import { createUserFeed } from './core/watch/user-feed.ts'
import { letPersonGo } from './let-person-go.ts'
import { userService } from './rpc/user-service.ts'
import { migrations } from './store/migrations/index.ts'
import type { Schema } from './store/schema.ts'
import { userLoader } from './store/users.ts'
import { type EndSessions, endSessions } from './workers/end-sessions.ts'

const revokeTimeoutMs = 5_000

/** Builds the service and opens its doors. Aborting `signal` ends a start that still waits for the schema. */
export async function createApp(config: UserConfig, signal?: AbortSignal): Promise<App> {
  await using opening = new AsyncDisposableStack()
  const service = await openService<Schema>({ name: 'user', config, migrations, ...(signal && { signal }) })
  const { db, log, requestKeys, requestsKeptSeconds } = service
  const sessions = createClient(SessionService, service.peer('auth'))
  let worker: EndSessions | undefined

  const committed = (): void => {
    service.committed()
    worker?.nudge()
  }
  const deps: Deps = { db, loadUser: userLoader(db), addUser: userAdder(db, committed), letGo: letPersonGo(service), committed }
  const feed = opening.use(createUserFeed({ db, log }))
  const startEndingSessions = (): EndSessions => {
    worker = endSessions({
      db,
      log,
      revoke: async ({ tenant, userId, openedUntil }, signal) => {
        const request = { userId, ...(openedUntil && { openedUntil: timestampFromDate(openedUntil) }) }
        await sessions.revokePersonSessions(request, forTenant(tenant, { signal, timeoutMs: revokeTimeoutMs }))
      },
    })
    return worker
  }
  // Awaited here: what is opened above is disposed when this function is left.
  return await service.serve({
    rpc: [served(UserService, userService({ ...deps, feed }, { requestKeys, requestsKeptSeconds }))],
    workers: [() => opening.move(), startEndingSessions],
  })
}
