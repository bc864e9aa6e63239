import type { Benchmark } from '../benchmark.ts'
import { accessCheck } from './access-check.ts'
import { batchGetUsers } from './batch-get-users.ts'
import { betterAuth } from './better-auth.ts'
import { bulkLoad } from './bulk-load.ts'
import { createUser } from './create-user.ts'
import { eventLatency } from './event-latency.ts'
import { footprint } from './footprint.ts'
import { getUser } from './get-user.ts'
import { growth } from './growth.ts'
import { grpcDoor } from './grpc-door.ts'
import { limits } from './limits.ts'
import { mail } from './mail.ts'
import { natsSync } from './nats-sync.ts'
import { openIdConnect } from './oidc.ts'
import { queue } from './queue.ts'
import { relay } from './relay.ts'
import { revocation } from './revocation.ts'
import { refresh, signIn } from './sessions.ts'
import { start } from './start.ts'
import { timing } from './timing.ts'
import { verifyApiKey } from './verify-api-key.ts'
import { verifyToken } from './verify-token.ts'
import { webDoor } from './web-door.ts'

/** Every benchmark, in the order in which they run and are shown. */
export const benchmarks: readonly Benchmark[] = [
  start,
  footprint,
  eventLatency,
  mail,
  grpcDoor,
  getUser,
  batchGetUsers,
  createUser,
  limits,
  webDoor,
  verifyToken,
  accessCheck,
  verifyApiKey,
  revocation,
  signIn,
  betterAuth,
  refresh,
  openIdConnect,
  timing,
  relay,
  natsSync,
  queue,
  bulkLoad,
  growth,
]
