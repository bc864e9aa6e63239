import { refusedOf } from '@gatehouse/web'
import { useState } from 'react'
import { Link, Redirect, useLocation } from 'wouter'
import { gatehouse, pendingChallenge, signedIn, useSession } from '../gatehouse.ts'
import { afterSignIn, isAwaited } from '../parts/after-sign-in.ts'
import { CodeField, withoutSpaces } from '../parts/code-field.tsx'
import { DeadLink } from '../parts/dead-link.tsx'
import { Form, PasswordField } from '../parts/form.tsx'
import { useLinkToken } from '../parts/link-token.ts'
import { Page } from '../parts/page.tsx'

const sentences = {
  CHALLENGE_INVALID:
    'This code or link is wrong, was used, or is no longer valid. You can ask for a new mail, or sign in if you have used it already.',
}

/** Proves the mailbox of a sign-up: by the code in the browser that asked, or by the link anywhere. */
export function VerifyEmail() {
  const token = useLinkToken()
  return token === '' ? <ByCode /> : <ByLink token={token} />
}

function ByCode() {
  const [, go] = useLocation()
  const [resent, setResent] = useState('')
  const { kind } = useSession()
  const challengeId = pendingChallenge.get()
  // The link was opened in another tab, and an app waits in this one.
  if (kind === 'signed_in' && isAwaited()) return <Redirect to={afterSignIn()} replace />
  if (challengeId === '') {
    return (
      <Page title="Check your mail">
        <p>
          There is nothing to confirm in this browser. Open the link in the mail, or <Link href="/sign-up">create an account</Link>.
        </p>
      </Page>
    )
  }
  async function submit({ code = '' }: Record<string, string>) {
    const { result } = await gatehouse.accounts.verifyEmail({
      challengeId,
      proof: { case: 'code', value: withoutSpaces(code) },
      useCookie: true,
    })
    pendingChallenge.clear()
    signedIn(result)
    go(afterSignIn(), { replace: true })
  }
  async function resend() {
    try {
      await gatehouse.accounts.resendVerification({ challengeId, requestId: crypto.randomUUID() })
      setResent('A new mail is on its way.')
    } catch (error) {
      setResent(refusedOf(error).message)
    }
  }
  return (
    <Page title="Check your mail">
      <p>We sent you a mail with a six-digit code and a link. Enter the code here, or open the link.</p>
      <Form action="Confirm" onSubmit={submit} sentences={sentences}>
        <CodeField label="Code" />
      </Form>
      <p className="aside">
        No mail?{' '}
        <button type="button" className="link" onClick={() => void resend()}>
          Send it again
        </button>{' '}
        <span role="status">{resent}</span>
      </p>
    </Page>
  )
}

function ByLink({ token }: { token: string }) {
  const [, go] = useLocation()
  const [needsPassword, setNeedsPassword] = useState(false)
  const [dead, setDead] = useState(false)
  async function submit({ password = '' }: Record<string, string>) {
    try {
      const challengeId = needsPassword ? '' : pendingChallenge.get()
      const { result } = await gatehouse.accounts.verifyEmail({
        challengeId,
        proof: { case: 'token', value: token },
        password,
        useCookie: true,
      })
      pendingChallenge.clear()
      signedIn(result)
      go(afterSignIn(), { replace: true })
    } catch (error) {
      const { reason } = refusedOf(error)
      // This browser waits for another mail, or for none: whoever signed up knows the password.
      if (!needsPassword && (reason === 'PASSWORD_NEEDED' || (reason === 'CHALLENGE_INVALID' && pendingChallenge.get() !== '')))
        return setNeedsPassword(true)
      if (reason === 'CHALLENGE_INVALID') return setDead(true)
      throw error
    }
  }
  if (dead) {
    return (
      <DeadLink>
        If you have confirmed your address, <Link href="/sign-in">sign in</Link>. If not, <Link href="/sign-up">sign up again</Link>, and a
        new mail comes.
      </DeadLink>
    )
  }
  return (
    <Page title="Confirm your address">
      <Form
        key={String(needsPassword)}
        action="Confirm my address"
        onSubmit={submit}
        sentences={{ ...sentences, PASSWORD_WRONG: 'This is not the password that was chosen at sign-up.' }}
      >
        {needsPassword ? (
          <>
            <p>
              You opened the link in another browser. Please enter the password that you chose when you signed up, so that we know it was
              you.
            </p>
            <PasswordField name="password" label="Password" autoComplete="current-password" />
          </>
        ) : (
          <p>One click, and your account is ready.</p>
        )}
      </Form>
      <p className="aside">You did not sign up? Then close this page, and nothing happens.</p>
    </Page>
  )
}
