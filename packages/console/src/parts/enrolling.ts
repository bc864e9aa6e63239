import type { NextStep } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { useSyncExternalStore } from 'react'

let step: NextStep | undefined
const listeners = new Set<() => void>()

function become(next: NextStep | undefined): void {
  step = next
  for (const listener of listeners) listener()
}

/** The sign-in needs a second factor that is not there yet. In memory only: after a reload one signs in again. */
export const beginEnrolment = (next: NextStep): void => become(next)
export const endEnrolment = (): void => become(undefined)

/** What is to be added, followed. */
export function useEnrolment(): NextStep | undefined {
  return useSyncExternalStore(subscribe, () => step)
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}
