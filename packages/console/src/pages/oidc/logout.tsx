import { useEffect } from 'react'
import { Link } from 'wouter'
import { gatehouse } from '../../gatehouse.ts'
import { Page } from '../../parts/page.tsx'
import type { NamedClient } from './library-data.ts'
import { PlainForm } from './plain-form.tsx'

interface LogoutProps {
  readonly action: string
  readonly xsrf: string
  readonly client: NamedClient | null
}

/** Nobody is signed out by a link: the person says so. */
export function Logout({ action, xsrf, client }: LogoutProps) {
  // The next page may be a client's, which tells other tabs nothing: this one does, as it goes.
  function tellTabs(pressed: string) {
    if (pressed === 'logout') addEventListener('pagehide', () => gatehouse.session.changedElsewhere(), { once: true })
  }
  return (
    <Page title="Sign out?">
      <p>
        You are leaving {client === null ? 'an app' : <strong>{client.name}</strong>}. Do you want to sign out here as well? That signs you
        out of every app that you came to from here in this browser.
      </p>
      <PlainForm action={action} xsrf={xsrf} onSubmit={tellTabs}>
        <button type="submit" className="main" name="logout" value="yes">
          Sign out everywhere here
        </button>
        <button type="submit" className="quiet whole">
          {client === null ? 'Stay signed in' : `Only leave ${client.name}`}
        </button>
      </PlainForm>
    </Page>
  )
}

/** Where the client named no page of its own. `client` is the one that was left, where nothing else was. */
export function SignedOut({ client }: { client: NamedClient | null }) {
  useEffect(() => {
    if (client === null) void gatehouse.session.renew()
  }, [client])
  if (client !== null) {
    return (
      <Page title={`You have left ${client.name}`}>
        <p>You are still signed in here.</p>
        <p className="aside">
          <Link href="/sessions">See where you are signed in</Link>
        </p>
      </Page>
    )
  }
  return (
    <Page title="You are signed out">
      <p>The session in this browser has ended. You can close this page.</p>
      <p className="aside">
        <Link href="/sign-in">Sign in again</Link>
      </p>
    </Page>
  )
}
