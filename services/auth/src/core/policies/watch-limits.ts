import { create } from '@bufbuild/protobuf'
import { type WatchLimitsResponse, WatchLimitsResponseSchema } from '@gatehouse/contracts/gatehouse/auth/v1/policy_service_pb'
import type { LimitFeed } from './limit-feed.ts'

/** First what tenants set, then each change. */
export async function* watchLimits(
  { limitFeed }: { limitFeed: LimitFeed },
  { cursor, signal }: { cursor: string; signal: AbortSignal },
): AsyncGenerator<WatchLimitsResponse> {
  await limitFeed.ready
  const reader = limitFeed.join(cursor)
  const leave = () => limitFeed.leave(reader)
  signal.addEventListener('abort', leave)
  try {
    yield create(WatchLimitsResponseSchema, { ...reader.take(), snapshotComplete: true })
    while (await reader.wait()) yield create(WatchLimitsResponseSchema, reader.take())
  } finally {
    signal.removeEventListener('abort', leave)
    leave()
  }
}
