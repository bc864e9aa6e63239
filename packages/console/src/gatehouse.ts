import type { NextStep, SignedInResult } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { createGatehouse, type SessionState } from '@gatehouse/web'
import { useSyncExternalStore } from 'react'
import { beginEnrolment } from './parts/enrolling.ts'

export const gatehouse = createGatehouse()

/** Where this browser stands, followed. */
export function useSession(): SessionState {
  return useSyncExternalStore(gatehouse.session.subscribe, () => gatehouse.session.state)
}

/** Takes over what a call that signs in answered. */
export function signedIn(
  result: { case: 'signedIn'; value: SignedInResult } | { case: 'nextStep'; value: NextStep } | { case: undefined },
): void {
  if (result.case === 'nextStep' && result.value.enrol.length > 0) {
    beginEnrolment(result.value)
    return
  }
  if (result.case !== 'signedIn') throw new Error('The sign-in needs a step that this page does not know')
  gatehouse.session.adopt(result.value)
}

/** A request whose mail this browser waits for. Its id is no secret: it is worth something together with the mail only. */
const challengeKept = (key: string) => ({
  get: () => localStorage.getItem(key) ?? '',
  set: (challengeId: string) => localStorage.setItem(key, challengeId),
  clear: () => localStorage.removeItem(key),
})

/** Of a sign-up. */
export const pendingChallenge = challengeKept('gatehouse.pending')

/** Of a sign-in by mail. */
export const pendingSignIn = challengeKept('gatehouse.pending-sign-in')
