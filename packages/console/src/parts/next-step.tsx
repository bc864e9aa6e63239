import { Factor, type FactorProof, type NextStep } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { passkeysWork, showPasskey } from '@gatehouse/web'
import { type ReactNode, useState } from 'react'
import { CodeField, withoutSpaces } from './code-field.tsx'
import { Field, Form, PasswordField } from './form.tsx'

type Proof = FactorProof['proof']

interface NextStepProps {
  readonly step: NextStep
  /** Sends a factor; answers the step after it, and nothing where that was all. */
  readonly show: (continuation: string, proof: Proof, trustDevice: boolean) => Promise<NextStep | undefined>
}

const names: ReadonlyMap<Factor, string> = new Map([
  [Factor.PASSKEY, 'a passkey'],
  [Factor.TOTP, 'your authenticator app'],
  [Factor.RECOVERY_CODE, 'a recovery code'],
  [Factor.PASSWORD, 'your password'],
])

const sentences = { FACTOR_WRONG: 'This is not right, or was used before. Please try again.' }

/** Asks for one factor after the other, the strongest first; the person may take another one that they have. */
export function NextStepForm({ step: first, show }: NextStepProps) {
  const [step, setStep] = useState(first)
  const [chosen, setChosen] = useState<Factor | undefined>()
  const [trusted, setTrusted] = useState(false)
  const factors = step.factors.filter((factor) => names.has(factor) && (factor !== Factor.PASSKEY || passkeysWork()))
  const factor = chosen !== undefined && factors.includes(chosen) ? chosen : factors[0]
  async function send(proof: Proof) {
    const next = await show(step.continuation, proof, trusted)
    if (next) setStep(next)
  }
  if (factor === undefined) return <p role="alert">This browser cannot show what you have registered. Please use another one.</p>
  return (
    <>
      <FactorForm key={`${step.continuation} ${factor}`} factor={factor} passkeyOptionsJson={step.passkeyOptionsJson} send={send}>
        {step.trustDays > 0 && <TrustBox days={step.trustDays} trusted={trusted} setTrusted={setTrusted} />}
      </FactorForm>
      {factors.length > 1 && (
        <ul className="others">
          {factors
            .filter((other) => other !== factor)
            .map((other) => (
              <li key={other}>
                <button type="button" className="link" onClick={() => setChosen(other)}>
                  Use {names.get(other)}
                </button>
              </li>
            ))}
        </ul>
      )}
    </>
  )
}

interface TrustBoxProps {
  readonly days: number
  readonly trusted: boolean
  readonly setTrusted: (trusted: boolean) => void
}

function TrustBox({ days, trusted, setTrusted }: TrustBoxProps) {
  return (
    <div className="field">
      <label className="check">
        <input type="checkbox" checked={trusted} onChange={(event) => setTrusted(event.target.checked)} aria-describedby="trust-hint" />
        Trust this browser
      </label>
      <small id="trust-hint" className="hint">
        For {days === 1 ? 'a day' : `${days} days`} your password is enough here. Only on a device that nobody else uses.
      </small>
    </div>
  )
}

interface FactorFormProps {
  /** Stands before the button. */
  readonly children: ReactNode
  readonly factor: Factor
  readonly passkeyOptionsJson: string
  readonly send: (proof: Proof) => Promise<void>
}

function FactorForm({ children, factor, passkeyOptionsJson, send }: FactorFormProps) {
  if (factor === Factor.PASSKEY)
    return (
      <Form
        action="Use my passkey"
        sentences={sentences}
        onSubmit={async () => send({ case: 'passkeyJson', value: await showPasskey(passkeyOptionsJson) })}
      >
        <p>Your browser asks for one of your passkeys.</p>
        {children}
      </Form>
    )
  if (factor === Factor.TOTP)
    return (
      <Form action="Go on" sentences={sentences} onSubmit={({ code = '' }) => send({ case: 'totpCode', value: withoutSpaces(code) })}>
        <CodeField label="Code of your authenticator app" autoFocus />
        {children}
      </Form>
    )
  if (factor === Factor.RECOVERY_CODE)
    return (
      <Form action="Go on" sentences={sentences} onSubmit={({ code = '' }) => send({ case: 'recoveryCode', value: code.trim() })}>
        <Field
          name="code"
          label="Recovery code"
          hint="One of those that you kept. Each works once."
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          autoFocus
          required
        />
        {children}
      </Form>
    )
  return (
    <Form action="Go on" sentences={sentences} onSubmit={({ password = '' }) => send({ case: 'password', value: password })}>
      <PasswordField name="password" label="Your password" autoComplete="current-password" autoFocus />
      {children}
    </Form>
  )
}
