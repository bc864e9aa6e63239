import type { SignedInResult } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { createGatehouse, type SessionState } from '@gatehouse/web'
import { useSyncExternalStore } from 'react'

export const gatehouse = createGatehouse()

/** Where this browser stands, followed. */
export function useSession(): SessionState {
  return useSyncExternalStore(gatehouse.session.subscribe, () => gatehouse.session.state)
}

/** Takes over what a call that signs in answered. */
export function signedIn(result: { case: 'signedIn'; value: SignedInResult } | { case: 'nextStep' } | { case: undefined }): void {
  if (result.case !== 'signedIn') throw new Error('The sign-in needs a step that this page does not know')
  gatehouse.session.adopt(result.value)
}

const pending = 'gatehouse.pending'

/** The request whose mail this browser waits for. Its id is no secret: it is worth something together with the mail only. */
export const pendingChallenge = {
  get: () => localStorage.getItem(pending) ?? '',
  set: (challengeId: string) => localStorage.setItem(pending, challengeId),
  clear: () => localStorage.removeItem(pending),
}
