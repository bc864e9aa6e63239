import type { NextStep, SignedInResult } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { createGatehouse, type NeededStrength, type SessionState } from '@gatehouse/web'
import { useSyncExternalStore } from 'react'
import { kept } from './parts/kept.ts'

/** A call waits for the person to confirm who they are. */
interface Confirmation {
  readonly id: number
  readonly needed: NeededStrength
  /** `true` where the session was raised. */
  readonly end: (raised: boolean) => void
}

const confirmation = kept<Confirmation>()
let confirmations = 0

export const gatehouse = createGatehouse({
  confirm: (needed) =>
    new Promise((resolve) => {
      // Of two calls that wait, the later one asks: the answer of the first is a refusal that its form shows.
      confirmation.get()?.end(false)
      const end = (raised: boolean) => {
        if (confirmation.get()?.end === end) confirmation.set(undefined)
        resolve(raised)
      }
      confirmation.set({ id: ++confirmations, needed, end })
    }),
})

/** Where this browser stands, followed. */
export function useSession(): SessionState {
  return useSyncExternalStore(gatehouse.session.subscribe, () => gatehouse.session.state)
}

/** What waits for the person's confirmation, followed. */
export function useConfirmation(): Confirmation | undefined {
  return useSyncExternalStore(confirmation.subscribe, confirmation.get)
}

/** A sign-in that needs one thing more; in memory only. */
export const pendingStep = kept<NextStep>()

/** The same, followed. */
export function usePendingStep(): NextStep | undefined {
  return useSyncExternalStore(pendingStep.subscribe, pendingStep.get)
}

type SignInResult =
  | { case: 'signedIn'; value: SignedInResult }
  | { case: 'nextStep'; value: NextStep }
  | { case: undefined; value?: undefined }

/** Takes over what a call that signs in answered: the session, or the step that the person is asked for next. */
export function signedIn(result: SignInResult): void {
  if (result.case === 'signedIn') gatehouse.session.adopt(result.value)
  if (result.case === 'nextStep') pendingStep.set(result.value)
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
