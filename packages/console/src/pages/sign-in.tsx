import { passkeysWork, refusedOf, signInWithPasskey } from '@gatehouse/web'
import { type ReactNode, useState } from 'react'
import { Link } from 'wouter'
import { gatehouse, signedIn } from '../gatehouse.ts'
import { Field, Form, PasswordField } from '../parts/form.tsx'
import { Page } from '../parts/page.tsx'
import { usePasskeyAutofill } from '../parts/passkey-autofill.ts'
import { Problem } from '../parts/problem.tsx'
import { depart } from './connections/departure.ts'
import { Elsewhere } from './connections/elsewhere.tsx'

interface SignInProps {
  readonly title?: string
  /** Who is expected. */
  readonly email?: string
  /** Another way out. */
  readonly children?: ReactNode
}

export function SignIn({ title = 'Sign in', email: expected = '', children }: SignInProps) {
  async function submit({ email = '', password = '' }: Record<string, string>) {
    try {
      const { result } = await gatehouse.sessions.signIn({ email, password, useCookie: true })
      signedIn(result)
    } catch (error) {
      const { reason, metadata } = refusedOf(error)
      if (reason !== 'CONNECTION_REQUIRED') throw error
      await depart('sign-in', metadata.connection ?? '', email)
    }
  }
  const [address, setAddress] = useState(expected)
  const { problem, instead } = usePasskeyAutofill()
  return (
    <Page title={title}>
      <Problem>{problem}</Problem>
      <Form action="Sign in" onSubmit={submit}>
        <Field
          name="email"
          label="E-mail address"
          type="email"
          defaultValue={expected}
          autoComplete="username webauthn"
          inputMode="email"
          onBlur={(event) => setAddress(event.target.value.trim())}
          required
        />
        <PasswordField name="password" label="Password" autoComplete="current-password" />
      </Form>
      {passkeysWork() && (
        <>
          <p className="or">or</p>
          <Form action="Use a passkey" quiet onSubmit={() => instead(async () => signedIn(await signInWithPasskey(gatehouse)))}>
            {null}
          </Form>
        </>
      )}
      <Elsewhere email={address} />
      <p className="aside">
        <Link href="/sign-in-link">Send me a link</Link> · <Link href="/forgot-password">Forgot your password?</Link> ·{' '}
        <Link href="/sign-up">Create an account</Link>
      </p>
      {children}
    </Page>
  )
}
