import type { ReactNode } from 'react'
import { Link, useLocation } from 'wouter'
import { gatehouse, useSession } from '../gatehouse.ts'
import { ConfirmDialog } from './confirm-dialog.tsx'
import { useMay } from './permissions.ts'

const links = [
  ['/profile', 'Profile'],
  ['/inbox', 'Inbox'],
  ['/sessions', 'Sessions'],
  ['/account', 'Account'],
] as const

const forAdministrators = ['/clients', 'Apps'] as const

/** What every page has around it. A bare one leads nowhere else. */
export function Frame({ children, bare = false }: { children: ReactNode; bare?: boolean }) {
  const session = useSession()
  const [path, go] = useLocation()
  const mayReadClients = useMay('auth.clients.read')
  async function signOut() {
    await gatehouse.session.signOut()
    go('/sign-in')
  }
  return (
    <>
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <header className="top">
        <Link href="/" className="brand">
          <img src="/icon.svg" alt="" width="28" height="28" /> Gatehouse
        </Link>
        {session.kind === 'signed_in' && !bare && (
          <nav aria-label="Pages">
            {[...links, ...(mayReadClients ? [forAdministrators] : [])].map(([href, name]) => (
              <Link key={href} href={href} aria-current={path === href ? 'page' : undefined}>
                {name}
              </Link>
            ))}
          </nav>
        )}
        {session.kind === 'signed_in' && !bare && (
          <button type="button" className="quiet" onClick={() => void signOut()}>
            Sign out
          </button>
        )}
      </header>
      <main id="main">{children}</main>
      <ConfirmDialog />
    </>
  )
}
