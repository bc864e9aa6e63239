import { passkeysAutofill, refusedOf, signInByAutofill } from '@gatehouse/web'
import { useEffect, useRef, useState } from 'react'
import { gatehouse, signedIn } from '../gatehouse.ts'

/**
 * Offers passkeys in the list under the address field, where the browser does. Where it does not, or nothing can be begun, the page is what it was. Answers what went
 * wrong with a passkey that was picked, and how to ask in another way meanwhile.
 */
export function usePasskeyAutofill(): { readonly problem: string; readonly instead: (ask: () => Promise<void>) => Promise<void> } {
  const [round, setRound] = useState(0)
  const [problem, setProblem] = useState('')
  const waiting = useRef<AbortController>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: each round waits once more
  useEffect(() => {
    const controller = new AbortController()
    waiting.current = controller
    // One that was refused is not offered once more: it would be refused again.
    void offer(controller.signal, setProblem)
    return () => controller.abort()
  }, [round])
  return {
    problem,
    async instead(ask) {
      setProblem('')
      waiting.current?.abort()
      try {
        await ask()
      } finally {
        setRound((before) => before + 1)
      }
    },
  }
}

async function offer(signal: AbortSignal, refused: (message: string) => void): Promise<void> {
  try {
    if (!(await passkeysAutofill()) || signal.aborted) return
    signedIn(await signInByAutofill(gatehouse, { signal }))
  } catch (error) {
    // Only what was picked and refused is worth a word: nobody asked for the rest.
    if (!signal.aborted && refusedOf(error).reason === 'PASSKEY_INVALID') refused(refusedOf(error).message)
  }
}
