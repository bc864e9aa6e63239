import { useState } from 'react'
import { Link } from 'wouter'
import { gatehouse } from '../gatehouse.ts'
import { Field, Form } from '../parts/form.tsx'
import { Page } from '../parts/page.tsx'
import { NewPassword } from './reset-password.tsx'

export function ForgotPassword() {
  const [challengeId, setChallengeId] = useState('')
  async function submit({ email = '' }: Record<string, string>) {
    const answer = await gatehouse.accounts.requestPasswordReset({ email, requestId: crypto.randomUUID() })
    setChallengeId(answer.challengeId)
  }
  if (challengeId !== '') return <NewPassword challengeId={challengeId} />
  return (
    <Page title="Forgot your password?">
      <p>Tell us your address, and we send you a mail with which you can set a new one.</p>
      <Form action="Send the mail" onSubmit={submit}>
        <Field name="email" label="E-mail address" type="email" autoComplete="username" inputMode="email" required />
      </Form>
      <p className="aside">
        <Link href="/sign-in">Back to sign-in</Link>
      </p>
    </Page>
  )
}
