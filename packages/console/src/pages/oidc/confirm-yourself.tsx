import type { NextStep } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { type Interaction, type InteractionRequest, type NeededStrength, type Refused, refusedOf } from '@gatehouse/web'
import { useCallback, useEffect, useState } from 'react'
import { gatehouse } from '../../gatehouse.ts'
import { strengthOf } from '../../parts/needed-strength.ts'
import { NextStepForm } from '../../parts/next-step.tsx'
import { Page } from '../../parts/page.tsx'
import { Problem } from '../../parts/problem.tsx'
import { AddFactorFirst } from './add-factor-first.tsx'
import { AnotherAccount } from './another-account.tsx'
import { Refuse } from './refuse.tsx'

interface ConfirmYourselfProps {
  readonly email: string
  readonly strength: NeededStrength
  readonly request: InteractionRequest
  readonly interaction: Interaction
  readonly confirmed: () => Promise<void>
}

/** The client wants a fresher or a stronger sign-in: the session is raised, and stays the one that it is. */
export function ConfirmYourself({ email, strength, request, interaction, confirmed }: ConfirmYourselfProps) {
  const [step, setStep] = useState<NextStep | undefined>()
  const [refused, setRefused] = useState<Refused | undefined>()
  const begin = useCallback(async () => {
    const { nextStep } = await gatehouse.sessions.beginStepUp({ strength: strengthOf(strength) })
    setStep(nextStep)
    setRefused(undefined)
  }, [strength])
  useEffect(() => {
    begin().catch((error: unknown) => setRefused(refusedOf(error)))
  }, [begin])
  const { client } = request
  if (refused?.reason === 'STRENGTH_OUT_OF_REACH')
    return <AddFactorFirst strength={strength} request={request} interaction={interaction} added={begin} />
  return (
    <Page title={`Confirm that it is you to go on to ${client.name}`}>
      <p>
        You are signed in as {email}. {why(strength, client.name)}
      </p>
      <Problem>{refused?.message ?? ''}</Problem>
      {step === undefined && refused === undefined && <p role="status">One moment …</p>}
      {step !== undefined && (
        <NextStepForm
          step={step}
          show={async (continuation, proof) => {
            const next = await gatehouse.session.stepUp(continuation, proof)
            if (next === undefined) await confirmed()
            return next
          }}
        />
      )}
      <AnotherAccount />
      <Refuse client={client} interaction={interaction} />
    </Page>
  )
}

function why(strength: NeededStrength, name: string): string {
  if (strength === 'phishing_resistant') return `${name} asks for a passkey.`
  return strength === 'two_factors' ? `${name} asks for a second factor.` : `${name} asks you to sign in anew.`
}
