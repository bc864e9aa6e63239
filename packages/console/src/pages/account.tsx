import { useState } from 'react'
import { useLocation } from 'wouter'
import { gatehouse, useSession } from '../gatehouse.ts'
import { Field, Form, PasswordField } from '../parts/form.tsx'
import { Page } from '../parts/page.tsx'
import { passwordHint, weakPassword } from '../parts/weak-password.ts'
import { Passkeys } from './passkeys.tsx'
import { TrustedDevices } from './trusted-devices.tsx'

/** What cannot be undone lightly: address, password, the account itself. */
export function Account() {
  const session = useSession()
  if (session.kind !== 'signed_in') return null
  return (
    <div className="stack">
      <ChangeAddress email={session.user.email} />
      <ChangePassword />
      <Passkeys />
      <TrustedDevices />
      <DeleteAccount id={session.user.id} email={session.user.email} />
    </div>
  )
}

function ChangeAddress({ email }: { email: string }) {
  const [asked, setAsked] = useState('')
  const [, go] = useLocation()
  async function request({ email: address = '', password = '' }: Record<string, string>) {
    const { challengeId } = await gatehouse.accounts.requestEmailChange({ email: address, password, requestId: crypto.randomUUID() })
    setAsked(challengeId)
  }
  async function confirm({ code = '' }: Record<string, string>) {
    await gatehouse.accounts.confirmEmailChange({ challengeId: asked, proof: { case: 'code', value: code.replace(/\s/g, '') } })
    const { user } = await gatehouse.users.getCurrentUser({})
    if (user) gatehouse.session.update(user)
    go('/profile')
  }
  return (
    <Page title="E-mail address">
      <p>Your address is {email}.</p>
      {asked === '' ? (
        <Form action="Send a code to the new address" onSubmit={request}>
          <Field name="email" label="New address" type="email" autoComplete="email" inputMode="email" required />
          <PasswordField name="password" label="Your password" autoComplete="current-password" />
        </Form>
      ) : (
        <Form action="Change address" onSubmit={confirm}>
          <p>A mail is on its way to the new address. Enter its code here, or open its link.</p>
          <Field name="code" label="Code" inputMode="numeric" autoComplete="one-time-code" maxLength={7} className="code" required />
        </Form>
      )}
    </Page>
  )
}

function ChangePassword() {
  async function submit({ currentPassword = '', newPassword = '' }: Record<string, string>) {
    await gatehouse.accounts.changePassword({ currentPassword, newPassword })
  }
  return (
    <Page title="Password">
      <Form action="Change password" onSubmit={submit} done="Changed. Your other sessions have ended." sentences={weakPassword}>
        <PasswordField name="currentPassword" label="Current password" autoComplete="current-password" />
        <PasswordField name="newPassword" label="New password" autoComplete="new-password" hint={passwordHint} />
      </Form>
    </Page>
  )
}

function DeleteAccount({ id, email }: { id: string; email: string }) {
  const [typed, setTyped] = useState('')
  async function submit() {
    if (typed.trim().toLowerCase() !== email.toLowerCase()) throw new Error('The address is another')
    await gatehouse.users.deleteUser({ id })
    await gatehouse.session.signOut()
  }
  return (
    <Page title="Delete your account">
      <p>Your name, address and inbox are erased at once and cannot be brought back.</p>
      <Form action="Delete my account" danger onSubmit={submit} sentences={{ '': 'Please type your address exactly.' }}>
        <Field
          name="email"
          label={`Type ${email} to confirm`}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          autoComplete="off"
          required
        />
      </Form>
    </Page>
  )
}
