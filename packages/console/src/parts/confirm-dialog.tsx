import type { NextStep } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { refusedOf } from '@gatehouse/web'
import { useEffect, useRef, useState } from 'react'
import { gatehouse, useConfirmation } from '../gatehouse.ts'
import { strengthOf } from './needed-strength.ts'
import { NextStepForm } from './next-step.tsx'

/** Asks whoever is signed in to confirm that it is them, whenever a call needs that; the call goes on afterwards. */
export function ConfirmDialog() {
  const confirmation = useConfirmation()
  return confirmation && <Confirming key={confirmation.id} {...confirmation} />
}

function Confirming({ needed, end }: NonNullable<ReturnType<typeof useConfirmation>>) {
  const dialog = useRef<HTMLDialogElement>(null)
  const [step, setStep] = useState<NextStep | undefined>()
  const [problem, setProblem] = useState('')
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal()
    let current = true
    gatehouse.sessions.beginStepUp({ strength: strengthOf(needed) }).then(
      ({ nextStep }) => current && setStep(nextStep),
      (error) => current && setProblem(refusedOf(error).message),
    )
    return () => {
      current = false
    }
  }, [needed])
  return (
    <dialog ref={dialog} className="card" aria-labelledby="confirm-title" onClose={() => end(false)}>
      <h2 id="confirm-title">Please confirm that it is you</h2>
      {problem !== '' && (
        <p role="alert" className="alert">
          {problem}
        </p>
      )}
      {step === undefined ? (
        problem === '' && <p role="status">One moment …</p>
      ) : (
        <NextStepForm
          step={step}
          show={async (continuation, proof) => {
            const next = await gatehouse.session.stepUp(continuation, proof)
            if (next === undefined) end(true)
            return next
          }}
        />
      )}
      <button type="button" className="quiet whole" onClick={() => end(false)}>
        Cancel
      </button>
    </dialog>
  )
}
