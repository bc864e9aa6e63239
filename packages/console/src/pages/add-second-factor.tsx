import type { NextStep } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { useState } from 'react'
import { gatehouse, pendingStep } from '../gatehouse.ts'
import { Field, Form } from '../parts/form.tsx'
import { Page } from '../parts/page.tsx'

interface Setup {
  readonly secret: string
  readonly qrSvg: string
}

const endEnrolment = () => pendingStep.set(undefined)

/** In the middle of a sign-in: this place asks everybody, or this person, for a second factor. */
export function AddSecondFactor({ step: { continuation } }: { step: NextStep }) {
  const [setup, setSetup] = useState<Setup>()
  const [codes, setCodes] = useState<readonly string[]>()
  if (codes) return <RecoveryCodes codes={codes} />
  if (!setup) {
    return (
      <Page title="One thing more">
        <p>Signing in here needs a second factor, and you have none yet. You need an authenticator app on your phone.</p>
        <Form
          action="Set up an authenticator app"
          onSubmit={async () => setSetup(await gatehouse.enrolment.beginTotpEnrolment({ continuation }))}
        >
          {null}
        </Form>
        <Cancel />
      </Page>
    )
  }
  async function submit({ code = '' }: Record<string, string>) {
    const shown = { continuation, code: code.replace(/\s/g, ''), useCookie: true }
    const { signedIn, recoveryCodes } = await gatehouse.enrolment.completeTotpEnrolment(shown)
    if (signedIn) gatehouse.session.adopt(signedIn)
    if (recoveryCodes.length > 0) setCodes(recoveryCodes)
    else endEnrolment()
  }
  return (
    <Page title="Scan this with your app">
      <img alt="QR code of the secret" width="200" height="200" src={`data:image/svg+xml,${encodeURIComponent(setup.qrSvg)}`} />
      <p>
        Or type it: <code>{setup.secret}</code>
      </p>
      <Form action="Sign in" onSubmit={submit}>
        <Field
          name="code"
          label="Code of the app"
          inputMode="numeric"
          autoComplete="one-time-code"
          maxLength={7}
          className="code"
          required
        />
      </Form>
      <Cancel />
    </Page>
  )
}

function RecoveryCodes({ codes }: { codes: readonly string[] }) {
  return (
    <Page title="Keep these codes">
      <p>Each of them signs you in once, beside your password, on the day when your app is gone. They are shown this once.</p>
      <ul>
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <button type="button" className="main" onClick={endEnrolment}>
        I have kept them
      </button>
    </Page>
  )
}

function Cancel() {
  return (
    <p className="aside">
      <button type="button" className="link" onClick={endEnrolment}>
        Back to sign-in
      </button>
    </p>
  )
}
