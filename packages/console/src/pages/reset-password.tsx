import { refusedOf } from '@gatehouse/web'
import { useState } from 'react'
import { Link, useLocation } from 'wouter'
import { gatehouse, signedIn } from '../gatehouse.ts'
import { CodeField, withoutSpaces } from '../parts/code-field.tsx'
import { DeadLink } from '../parts/dead-link.tsx'
import { Form, PasswordField } from '../parts/form.tsx'
import { useLinkToken } from '../parts/link-token.ts'
import { Page } from '../parts/page.tsx'
import { passwordHint, weakPassword } from '../parts/weak-password.ts'

const sentences = {
  CHALLENGE_INVALID: 'This code or link is wrong, was used, or is no longer valid. Please ask for a new mail.',
  ...weakPassword,
}

export function ResetPassword() {
  const token = useLinkToken()
  const [, go] = useLocation()
  const [dead, setDead] = useState(false)
  if (token === '') return <NoLink />
  if (dead) {
    return (
      <DeadLink>
        <Link href="/forgot-password">Ask for a new mail</Link>, or <Link href="/sign-in">sign in</Link> if you have set your password.
      </DeadLink>
    )
  }
  async function submit({ password = '' }: Record<string, string>) {
    try {
      const { result } = await gatehouse.accounts.resetPassword({ proof: { case: 'token', value: token }, password, useCookie: true })
      signedIn(result)
    } catch (error) {
      if (refusedOf(error).reason === 'CHALLENGE_INVALID') return setDead(true)
      throw error
    }
    go('/profile', { replace: true })
  }
  return (
    <Page title="Set a new password">
      <Form action="Set password" onSubmit={submit} sentences={sentences}>
        <PasswordField name="password" label="New password" autoComplete="new-password" hint={passwordHint} />
      </Form>
      <p className="aside">This signs you out everywhere else.</p>
    </Page>
  )
}

/** The same by the code, in the browser that asked for it. */
export function NewPassword({ challengeId }: { challengeId: string }) {
  const [, go] = useLocation()
  async function submit({ code = '', password = '' }: Record<string, string>) {
    const { result } = await gatehouse.accounts.resetPassword({
      challengeId,
      proof: { case: 'code', value: withoutSpaces(code) },
      password,
      useCookie: true,
    })
    signedIn(result)
    go('/profile', { replace: true })
  }
  return (
    <Page title="Check your mail">
      <p>If there is an account with this address, a mail is on its way. Open its link, or enter its code here.</p>
      <Form action="Set password" onSubmit={submit} sentences={sentences}>
        <CodeField label="Code" />
        <PasswordField name="password" label="New password" autoComplete="new-password" hint={passwordHint} />
      </Form>
    </Page>
  )
}

function NoLink() {
  return (
    <Page title="Set a new password">
      <p>
        Please open the link in the mail, or <Link href="/forgot-password">ask for a new one</Link>.
      </p>
    </Page>
  )
}
