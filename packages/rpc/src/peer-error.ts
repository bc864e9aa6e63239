import { Code, ConnectError } from '@connectrpc/connect'
import { ErrorInfoSchema } from '@gatehouse/contracts/google/rpc/error_details_pb'

const peers = new WeakMap<object, string>()

/** Remembers which peer an error came from. */
export function markPeer(error: ConnectError, peer: string): ConnectError {
  peers.set(error, peer)
  return error
}

/** The peer whose call failed with this error; `undefined` for errors that did not come from a peer. */
export function peerOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null ? peers.get(error) : undefined
}

/** Reason of a peer's refusal (`USER_NOT_FOUND`), `undefined` for anything else that was thrown. */
export function reasonOf(error: unknown): string | undefined {
  if (!(error instanceof ConnectError)) return undefined
  return error.findDetails(ErrorInfoSchema)[0]?.reason
}

/** Whether a peer could not be reached or did not answer in time, so that the same call may work later. */
export function isUnavailableError(error: unknown): boolean {
  return error instanceof ConnectError && (error.code === Code.Unavailable || error.code === Code.DeadlineExceeded)
}
