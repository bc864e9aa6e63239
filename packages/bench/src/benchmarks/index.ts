import type { Benchmark } from '../benchmark.ts'
import { bulkLoad } from './bulk-load.ts'
import { eventLatency } from './event-latency.ts'
import { footprint } from './footprint.ts'
import { getUser } from './get-user.ts'
import { growth } from './growth.ts'
import { grpcDoor } from './grpc-door.ts'
import { mail } from './mail.ts'
import { relay } from './relay.ts'
import { refresh, signIn } from './sessions.ts'
import { start } from './start.ts'
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
  webDoor,
  verifyToken,
  signIn,
  refresh,
  relay,
  bulkLoad,
  growth,
]
