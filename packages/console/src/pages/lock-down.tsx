import type { LockDownResponse } from '@gatehouse/contracts/gatehouse/auth/v1/account_service_pb'
import { refusedOf } from '@gatehouse/web'
import { useState } from 'react'
import { Link } from 'wouter'
import { gatehouse } from '../gatehouse.ts'
import { DeadLink } from '../parts/dead-link.tsx'
import { Form } from '../parts/form.tsx'
import { useLinkToken } from '../parts/link-token.ts'
import { Page } from '../parts/page.tsx'
import { Locked } from './locked.tsx'

/** "This was not me", by the link of a mail. Opening it does nothing by itself: mail scanners open links too. */
export function LockDown() {
  const token = useLinkToken()
  const [state, setState] = useState<'asked' | 'dead' | LockDownResponse>('asked')
  if (typeof state === 'object') return <Locked {...state} />
  if (state === 'dead') {
    return (
      <DeadLink>
        If you still fear for your account, <Link href="/forgot-password">set a new password</Link>: that ends every session too.
      </DeadLink>
    )
  }
  if (token === '') {
    return (
      <Page title="Lock your account">
        <p>
          Please open the link in the mail, or <Link href="/forgot-password">set a new password</Link>: that ends every session too.
        </p>
      </Page>
    )
  }
  async function submit() {
    try {
      setState(await gatehouse.accounts.lockDown({ token }))
    } catch (error) {
      if (refusedOf(error).reason === 'CHALLENGE_INVALID') return setState('dead')
      throw error
    }
    // Where the own session was here, it has ended with the others.
    if (gatehouse.session.state.kind === 'signed_in') await gatehouse.session.signOut().catch(() => {})
  }
  return (
    <Page title="Was this not you?">
      <p>If somebody else is using your account, lock it now:</p>
      <ul>
        <li>Every session ends, on every device, yours too.</li>
        <li>Your devices are forgotten.</li>
        <li>Your password no longer signs in. A mail lets you set a new one.</li>
      </ul>
      <Form action="Lock my account" onSubmit={submit} danger>
        {null}
      </Form>
      <p className="aside">It was you after all? Then close this page, and nothing happens.</p>
    </Page>
  )
}
