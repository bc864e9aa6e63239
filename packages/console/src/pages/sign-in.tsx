import { passkeysWork, signInWithPasskey } from '@gatehouse/web'
import type { ReactNode } from 'react'
import { Link } from 'wouter'
import { gatehouse, signedIn } from '../gatehouse.ts'
import { Field, Form, PasswordField } from '../parts/form.tsx'
import { Page } from '../parts/page.tsx'
import { usePasskeyAutofill } from '../parts/passkey-autofill.ts'
import { Problem } from '../parts/problem.tsx'

interface SignInProps {
  readonly title?: string
  /** Who is expected. */
  readonly email?: string
  /** Another way out. */
  readonly children?: ReactNode
}

export function SignIn({ title = 'Sign in', email: expected = '', children }: SignInProps) {
  async function submit({ email = '', password = '' }: Record<string, string>) {
    const { result } = await gatehouse.sessions.signIn({ email, password, useCookie: true })
    signedIn(result)
  }
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
      <p className="aside">
        <Link href="/sign-in-link">Send me a link</Link> · <Link href="/forgot-password">Forgot your password?</Link> ·{' '}
        <Link href="/sign-up">Create an account</Link>
      </p>
      {children}
    </Page>
  )
}
