import { Link, useLocation } from 'wouter'
import { gatehouse, signedIn } from '../gatehouse.ts'
import { Form, PasswordField } from '../parts/form.tsx'
import { useLinkToken } from '../parts/link-token.ts'
import { Page } from '../parts/page.tsx'
import { passwordHint, weakPassword } from '../parts/weak-password.ts'

export function AcceptInvitation() {
  const token = useLinkToken()
  const [, go] = useLocation()
  if (token === '') {
    return (
      <Page title="Accept your invitation">
        <p>
          Please open the link in the mail. It is good for seven days; <Link href="/sign-up">signing up</Link> with the same address sends a
          new one.
        </p>
      </Page>
    )
  }
  async function submit({ password = '' }: Record<string, string>) {
    const { result } = await gatehouse.accounts.acceptInvitation({ token, password, useCookie: true })
    signedIn(result)
    go('/profile', { replace: true })
  }
  return (
    <Page title="Accept your invitation">
      <p>Choose a password, and your account is ready.</p>
      <Form
        action="Accept"
        onSubmit={submit}
        sentences={{
          CHALLENGE_INVALID:
            'This link was used or is no longer valid. Sign in if you have used it already; signing up with the same address sends a new one.',
          ...weakPassword,
        }}
      >
        <PasswordField name="password" label="Password" autoComplete="new-password" hint={passwordHint} />
      </Form>
    </Page>
  )
}
