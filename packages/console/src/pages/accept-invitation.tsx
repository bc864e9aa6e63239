import { refusedOf } from '@gatehouse/web'
import { useState } from 'react'
import { Link, useLocation } from 'wouter'
import { gatehouse, signedIn } from '../gatehouse.ts'
import { DeadLink } from '../parts/dead-link.tsx'
import { Form, PasswordField } from '../parts/form.tsx'
import { useLinkToken } from '../parts/link-token.ts'
import { Page } from '../parts/page.tsx'
import { passwordHint, weakPassword } from '../parts/weak-password.ts'

export function AcceptInvitation() {
  const token = useLinkToken()
  const [, go] = useLocation()
  const [dead, setDead] = useState(false)
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
  if (dead) {
    return (
      <DeadLink>
        <Link href="/sign-in">Sign in</Link> if you have accepted the invitation already; <Link href="/sign-up">signing up</Link> with the
        same address sends a new one.
      </DeadLink>
    )
  }
  async function submit({ password = '' }: Record<string, string>) {
    try {
      const { result } = await gatehouse.accounts.acceptInvitation({ token, password, useCookie: true })
      signedIn(result)
    } catch (error) {
      if (refusedOf(error).reason === 'CHALLENGE_INVALID') return setDead(true)
      throw error
    }
    go('/profile', { replace: true })
  }
  return (
    <Page title="Accept your invitation">
      <p>Choose a password, and your account is ready.</p>
      <Form action="Accept" onSubmit={submit} sentences={weakPassword}>
        <PasswordField name="password" label="Password" autoComplete="new-password" hint={passwordHint} />
      </Form>
    </Page>
  )
}
