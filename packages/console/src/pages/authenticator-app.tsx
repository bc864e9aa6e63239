import { useRef, useState } from 'react'
import { gatehouse } from '../gatehouse.ts'
import { AskFirst } from '../parts/ask-first.tsx'
import { Form } from '../parts/form.tsx'
import type { OwnFactors } from '../parts/own-factors.ts'
import { Section } from '../parts/section.tsx'
import { type TotpSetup, TotpSetupForm } from '../parts/totp-setup.tsx'
import { when } from '../parts/when.ts'

interface AuthenticatorAppProps {
  readonly factors: OwnFactors
  /** Recovery codes came with it. */
  readonly made: (codes: readonly string[]) => void
  readonly changed: () => Promise<void>
}

const sentences = {
  FACTOR_NOT_ALLOWED: 'Authenticator apps are not offered here.',
  FACTOR_EXISTS: 'You have one already. Please load the page again.',
}

/** The app whose codes the person is asked for after the password. */
export function AuthenticatorApp({ factors, made, changed }: AuthenticatorAppProps) {
  const [setup, setSetup] = useState<TotpSetup | undefined>()
  const [told, setTold] = useState('')
  const heading = useRef<HTMLHeadingElement>(null)
  /** What had the focus goes with the step. */
  function step(next: TotpSetup | undefined, word = '') {
    setSetup(next)
    setTold(word)
    heading.current?.focus()
  }
  async function begin() {
    step(await gatehouse.factors.beginTotp({}))
    await changed()
  }
  async function confirm(code: string) {
    const { recoveryCodes } = await gatehouse.factors.confirmTotp({ code })
    await changed()
    step(undefined, 'Set up. From now on a sign-in with your password asks for a code.')
    if (recoveryCodes.length > 0) made(recoveryCodes)
  }
  async function remove() {
    await gatehouse.factors.deleteTotp({})
    await changed()
    step(undefined, 'Removed.')
  }
  const since = factors.listed.totpCreateTime
  const lastUse = factors.listed.totpLastUseTime
  return (
    <Section title="Authenticator app" heading={heading}>
      <p>An app on your phone shows a code that a sign-in with your password asks for.</p>
      <p role="status" className={told ? 'done' : 'done none'}>
        {told}
      </p>
      {since !== undefined ? (
        <>
          <p>
            Set up on {when(since)}
            {lastUse ? `, last used ${when(lastUse)}` : ', never used'}.
          </p>
          <AskFirst ask="Remove the app" action="Remove it" danger sentences={sentences} onConfirm={remove}>
            {factors.passkeys.length > 0
              ? 'Your sign-in asks for a passkey then. Remove the app?'
              : 'Your password alone is enough to sign in then, for whoever knows it, and your recovery codes end. Remove the app?'}
          </AskFirst>
        </>
      ) : setup !== undefined ? (
        <>
          <p>Scan this picture with the app, and type the code that it shows.</p>
          <TotpSetupForm setup={setup} action="Confirm" confirm={confirm} />
          <p className="aside">
            <button type="button" className="link" onClick={() => step(undefined)}>
              Cancel
            </button>
          </p>
        </>
      ) : factors.listed.password ? (
        <Form action="Set up" sentences={sentences} onSubmit={begin}>
          {null}
        </Form>
      ) : (
        <p>You have no password, so there is nothing that it could stand beside.</p>
      )}
    </Section>
  )
}
