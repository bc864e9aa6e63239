import { refusedOf } from '@gatehouse/web'
import { useState } from 'react'
import { Link } from 'wouter'
import { gatehouse, pendingSignIn, signedIn } from '../gatehouse.ts'
import { CodeField, withoutSpaces } from '../parts/code-field.tsx'
import { DeadLink } from '../parts/dead-link.tsx'
import { Field, Form } from '../parts/form.tsx'
import { useLinkToken } from '../parts/link-token.ts'
import { Page } from '../parts/page.tsx'

const sentences = {
  CHALLENGE_INVALID: 'This code is wrong, was used, or is no longer valid. Please ask for a new mail.',
  FACTOR_NOT_ALLOWED: 'Signing in by mail is not offered here.',
  STRENGTH_OUT_OF_REACH: 'A mail is not enough to sign you in. Please sign in with your password.',
}

/** Signs in by mail: by the code or the link, in the browser that asked for it. */
export function SignInLink() {
  const token = useLinkToken()
  const [challengeId, setChallengeId] = useState('')
  if (token !== '') return <ByLink token={token} />
  if (challengeId !== '') return <ByCode challengeId={challengeId} />
  async function submit({ email = '' }: Record<string, string>) {
    const answer = await gatehouse.emailSignIn.beginEmailSignIn({ email, requestId: crypto.randomUUID() })
    pendingSignIn.set(answer.challengeId)
    setChallengeId(answer.challengeId)
  }
  return (
    <Page title="Sign in by mail">
      <p>Tell us your address, and we send you a mail that signs you in here.</p>
      <Form action="Send the mail" onSubmit={submit} sentences={sentences}>
        <Field name="email" label="E-mail address" type="email" autoComplete="username" inputMode="email" required />
      </Form>
      <Back />
    </Page>
  )
}

async function complete(challengeId: string, proof: { case: 'code' | 'token'; value: string }): Promise<void> {
  const { result } = await gatehouse.emailSignIn.completeEmailSignIn({ challengeId, proof, useCookie: true })
  pendingSignIn.clear()
  signedIn(result)
}

function ByCode({ challengeId }: { challengeId: string }) {
  return (
    <Page title="Check your mail">
      <p>If there is an account with this address, a mail is on its way. Enter its code here, or open its link in this browser.</p>
      <Form
        action="Sign in"
        onSubmit={({ code = '' }) => complete(challengeId, { case: 'code', value: withoutSpaces(code) })}
        sentences={sentences}
      >
        <CodeField label="Code" />
      </Form>
      <Back />
    </Page>
  )
}

/** Opening the link does nothing by itself: mail scanners open links too. Without the request that this browser keeps it is worth nothing. */
function ByLink({ token }: { token: string }) {
  const [dead, setDead] = useState(false)
  const challengeId = pendingSignIn.get()
  if (challengeId === '') {
    return (
      <Page title="Open it where you asked for it">
        <p>
          This link signs you in only in the browser that asked for it. Open it there, or type the code of the mail there. You can also{' '}
          <Link href="/sign-in">sign in here</Link> in another way.
        </p>
      </Page>
    )
  }
  if (dead) {
    return (
      <DeadLink>
        <Link href="/sign-in-link">Ask for a new mail</Link>, or <Link href="/sign-in">sign in</Link> with your password.
      </DeadLink>
    )
  }
  async function submit() {
    try {
      await complete(challengeId, { case: 'token', value: token })
    } catch (error) {
      if (refusedOf(error).reason === 'CHALLENGE_INVALID') return setDead(true)
      throw error
    }
  }
  return (
    <Page title="Sign in">
      <Form action="Sign in" onSubmit={submit} sentences={sentences}>
        <p>One click, and you are signed in.</p>
      </Form>
      <p className="aside">You did not ask for it? Then close this page, and nothing happens.</p>
    </Page>
  )
}

function Back() {
  return (
    <p className="aside">
      <Link href="/sign-in">Back to sign-in</Link>
    </p>
  )
}
