import { Link, useLocation } from 'wouter'
import { gatehouse, pendingChallenge } from '../gatehouse.ts'
import { Field, Form, PasswordField } from '../parts/form.tsx'
import { browserLocale } from '../parts/locale.ts'
import { Page } from '../parts/page.tsx'
import { passwordHint, weakPassword } from '../parts/weak-password.ts'

export function SignUp() {
  const [, go] = useLocation()
  async function submit({ name = '', email = '', password = '' }: Record<string, string>) {
    const { challengeId } = await gatehouse.accounts.signUp({
      name,
      email,
      password,
      locale: browserLocale(),
      requestId: crypto.randomUUID(),
    })
    pendingChallenge.set(challengeId)
    go('/verify')
  }
  return (
    <Page title="Create your account">
      <Form action="Create account" onSubmit={submit} sentences={weakPassword}>
        <Field name="name" label="Name" autoComplete="name" required />
        <Field name="email" label="E-mail address" type="email" autoComplete="username" inputMode="email" required />
        <PasswordField name="password" label="Password" autoComplete="new-password" hint={passwordHint} />
      </Form>
      <p className="aside">
        You have an account? <Link href="/sign-in">Sign in</Link>
      </p>
    </Page>
  )
}
