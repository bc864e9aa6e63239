import { type CallOptions, type Client, Code, ConnectError } from '@connectrpc/connect'
import type { UserService, WatchUsersResponse } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { pause } from '@gatehouse/identity'
import { reasonOf } from '@gatehouse/rpc/peer'

/** From where people are followed, and for how long. */
export interface FollowOptions {
  /** Of the last message that was dealt with; empty, or left out, to be told everybody first. */
  readonly cursor?: string
  readonly signal?: AbortSignal
  /** Told of each break, before the next try. */
  readonly onBreak?: (error: unknown) => void
}

const silenceMs = 30_000
const firstPauseMs = 100
const maxPauseMs = 10_000

/** What asking again does not heal. */
const final = new Set([Code.InvalidArgument, Code.PermissionDenied, Code.Unauthenticated, Code.Unimplemented])

/**
 * The messages of WatchUsers as one that does not end: comes again from the last cursor when a stream ends, breaks or falls silent, and from the
 * beginning when that cursor has expired. A message counts as dealt with when the next one is asked for.
 * Throws where it is refused for good.
 */
export async function* followUsers(
  users: Pick<Client<typeof UserService>, 'watchUsers'>,
  headers: NonNullable<CallOptions['headers']>,
  { cursor = '', signal = new AbortController().signal, onBreak = () => {} }: FollowOptions = {},
): AsyncGenerator<WatchUsersResponse, void> {
  let last = cursor
  for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(2 * pauseMs, maxPauseMs)) {
    const leave = new AbortController()
    const patience = () => setTimeout(() => leave.abort(new Error('silence')), silenceMs)
    let timer = patience()
    try {
      for await (const message of users.watchUsers({ cursor: last }, { headers, signal: AbortSignal.any([signal, leave.signal]) })) {
        clearTimeout(timer)
        yield message
        last = message.cursor
        pauseMs = firstPauseMs
        timer = patience()
      }
    } catch (error) {
      if (signal.aborted) return
      if (!(error instanceof ConnectError) || (final.has(error.code) && !leave.signal.aborted)) throw error
      if (reasonOf(error) === 'CURSOR_EXPIRED') last = ''
      onBreak(error)
    } finally {
      clearTimeout(timer)
      leave.abort()
    }
    await pause(pauseMs * (0.5 + Math.random()), signal)
  }
}
