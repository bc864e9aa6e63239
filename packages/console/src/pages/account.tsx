import { useState } from 'react'
import { Link, useLocation } from 'wouter'
import { gatehouse, useSession } from '../gatehouse.ts'
import { CodeField, withoutSpaces } from '../parts/code-field.tsx'
import { Field, Form, PasswordField } from '../parts/form.tsx'
import { useOwnFactors } from '../parts/own-factors.ts'
import { Problem } from '../parts/problem.tsx'
import { Section } from '../parts/section.tsx'
import { useTitle } from '../parts/title.ts'
import { Waiting } from '../parts/waiting.tsx'
import { passwordHint, weakPassword } from '../parts/weak-password.ts'
import { AuthenticatorApp } from './authenticator-app.tsx'
import { LinkedIdentities } from './connections/linked-identities.tsx'
import { Passkeys } from './passkeys.tsx'
import { RecoveryCodesSection } from './recovery-codes.tsx'
import { TrustedDevices } from './trusted-devices.tsx'

/** What cannot be undone lightly: address, password, the account itself. */
export function Account() {
  const session = useSession()
  const heading = useTitle('Account')
  if (session.kind !== 'signed_in') return null
  return (
    <div className="stack">
      <h1 ref={heading} tabIndex={-1}>
        Account
      </h1>
      <Factors email={session.user.email} />
      <LinkedIdentities email={session.user.email} />
      <DeleteAccount id={session.user.id} email={session.user.email} />
    </div>
  )
}

/** What stands beside the password, or in its place: a change of one is a change of others. With the `email` of the person, both of these too. */
export function Factors({ email }: { email?: string }) {
  const { factors, problem, load } = useOwnFactors()
  const [codes, setCodes] = useState<readonly string[]>([])
  if (factors === undefined) return problem === '' ? <Waiting /> : <Problem>{problem}</Problem>
  return (
    <>
      <Problem>{problem}</Problem>
      {email !== undefined && <AddressAndPassword email={email} hasPassword={factors.listed.password} />}
      <Passkeys passkeys={factors.passkeys} made={setCodes} changed={load} />
      <AuthenticatorApp factors={factors} made={setCodes} changed={load} />
      <RecoveryCodesSection factors={factors} fresh={codes} made={setCodes} changed={load} />
      <TrustedDevices trust={factors.trust} changed={load} />
    </>
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
    await gatehouse.accounts.confirmEmailChange({ challengeId: asked, proof: { case: 'code', value: withoutSpaces(code) } })
    const { user } = await gatehouse.users.getCurrentUser({})
    if (user) gatehouse.session.update(user)
    go('/profile')
  }
  return (
    <Section title="E-mail address">
      <p>Your address is {email}.</p>
      {asked === '' ? (
        <Form action="Send a code to the new address" onSubmit={request}>
          <Field name="email" label="New address" type="email" autoComplete="email" inputMode="email" required />
          <PasswordField name="password" label="Your password" autoComplete="current-password" />
        </Form>
      ) : (
        <Form action="Change address" onSubmit={confirm}>
          <p>A mail is on its way to the new address. Enter its code here, or open its link.</p>
          <CodeField label="Code" />
        </Form>
      )}
    </Section>
  )
}

function ChangePassword() {
  async function submit({ currentPassword = '', newPassword = '' }: Record<string, string>) {
    await gatehouse.accounts.changePassword({ currentPassword, newPassword })
  }
  return (
    <Section title="Password">
      <Form action="Change password" onSubmit={submit} done="Changed. Your other sessions have ended." sentences={weakPassword}>
        <PasswordField name="currentPassword" label="Current password" autoComplete="current-password" />
        <PasswordField name="newPassword" label="New password" autoComplete="new-password" hint={passwordHint} />
      </Form>
    </Section>
  )
}

/** Whoever has no password is asked for none: a mail lets them set one, where their organisation lets them. */
function AddressAndPassword({ email, hasPassword }: { email: string; hasPassword: boolean }) {
  if (hasPassword)
    return (
      <>
        <ChangeAddress email={email} />
        <ChangePassword />
      </>
    )
  return (
    <Section title="Address and password">
      <p>Your address is {email}. You sign in without a password, and a change of the address would ask for one.</p>
      <p className="aside">
        <Link href="/forgot-password">Set a password by mail</Link>
      </p>
    </Section>
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
    <Section title="Delete your account">
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
    </Section>
  )
}
