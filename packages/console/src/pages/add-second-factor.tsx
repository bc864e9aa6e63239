import { Factor, type NextStep, type SignedInResult } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { enrolPasskey, passkeysWork } from '@gatehouse/web'
import { useState } from 'react'
import { gatehouse, pendingStep } from '../gatehouse.ts'
import { deviceOf } from '../parts/device-of.ts'
import { Form } from '../parts/form.tsx'
import { Page } from '../parts/page.tsx'
import { RecoveryCodes } from '../parts/recovery-codes.tsx'
import { type TotpSetup, TotpSetupForm } from '../parts/totp-setup.tsx'

interface Added {
  readonly signedIn?: SignedInResult | undefined
  readonly recoveryCodes: readonly string[]
}

const endEnrolment = () => pendingStep.set(undefined)

/** In the middle of a sign-in: this place asks everybody, or this person, for a second factor. */
export function AddSecondFactor({ step: { continuation, enrol } }: { step: NextStep }) {
  const [setup, setSetup] = useState<TotpSetup>()
  const [codes, setCodes] = useState<readonly string[]>()
  if (codes) {
    return (
      <Page title="You are signed in">
        <RecoveryCodes codes={codes} onKept={endEnrolment} />
      </Page>
    )
  }
  function end({ signedIn, recoveryCodes }: Added) {
    if (signedIn) gatehouse.session.adopt(signedIn)
    if (recoveryCodes.length > 0) setCodes(recoveryCodes)
    else endEnrolment()
  }
  if (setup) return <ScanSecret setup={setup} continuation={continuation} end={end} />
  const [withPasskey, withApp] = [enrol.includes(Factor.PASSKEY) && passkeysWork(), enrol.includes(Factor.TOTP)]
  return (
    <Page title="One thing more">
      <p>Signing in here needs a second factor, and you have none yet.</p>
      {withPasskey && (
        <Form action="Add a passkey" onSubmit={async () => end(await enrolPasskey(gatehouse, continuation, deviceOf(navigator.userAgent)))}>
          <p>A passkey is your finger, your face or the lock of this device.</p>
        </Form>
      )}
      {withPasskey && withApp && <p className="or">or</p>}
      {withApp && (
        <Form
          action="Set up an authenticator app"
          quiet={withPasskey}
          onSubmit={async () => setSetup(await gatehouse.enrolment.beginTotpEnrolment({ continuation }))}
        >
          <p>An authenticator app on your phone shows you a code for each sign-in.</p>
        </Form>
      )}
      {!withPasskey && !withApp && (
        <p role="alert">You can only add a passkey here, and this browser knows none. Please use another one.</p>
      )}
      <Cancel />
    </Page>
  )
}

function ScanSecret({ setup, continuation, end }: { setup: TotpSetup; continuation: string; end: (added: Added) => void }) {
  return (
    <Page title="Scan this with your app">
      <TotpSetupForm
        setup={setup}
        action="Sign in"
        confirm={async (code) => end(await gatehouse.enrolment.completeTotpEnrolment({ continuation, code, useCookie: true }))}
      />
      <Cancel />
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
