import { type ReactNode, useEffect, useRef } from 'react'
import { Redirect, Route, Switch, useLocation } from 'wouter'
import { usePendingStep, useSession } from './gatehouse.ts'
import { AcceptInvitation } from './pages/accept-invitation.tsx'
import { Account } from './pages/account.tsx'
import { AddSecondFactor } from './pages/add-second-factor.tsx'
import { ChangeEmail } from './pages/change-email.tsx'
import { ConnectionCallback } from './pages/connections/callback.tsx'
import { ContinueSignIn } from './pages/continue-sign-in.tsx'
import { ForgotPassword } from './pages/forgot-password.tsx'
import { Inbox } from './pages/inbox.tsx'
import { LockDown } from './pages/lock-down.tsx'
import { NotFound } from './pages/not-found.tsx'
import { Profile } from './pages/profile.tsx'
import { ResetPassword } from './pages/reset-password.tsx'
import { Sessions } from './pages/sessions.tsx'
import { SignIn } from './pages/sign-in.tsx'
import { SignInLink } from './pages/sign-in-link.tsx'
import { SignUp } from './pages/sign-up.tsx'
import { VerifyEmail } from './pages/verify-email.tsx'
import { Frame } from './parts/frame.tsx'
import { Waiting } from './parts/waiting.tsx'

export function App() {
  const step = usePendingStep()
  if (step !== undefined) {
    return <Frame>{step.enrol.length > 0 ? <AddSecondFactor step={step} /> : <ContinueSignIn step={step} />}</Frame>
  }
  return (
    <Frame>
      <Switch>
        <Route path="/">{() => <Home />}</Route>
        <Route path="/sign-up">{() => <Stranger page={<SignUp />} />}</Route>
        <Route path="/sign-in">{() => <Stranger page={<SignIn />} />}</Route>
        <Route path="/sign-in-link">{() => <Stranger page={<SignInLink />} />}</Route>
        <Route path="/connections/callback/:connectionId">
          {({ connectionId }) => <ConnectionCallback connectionId={connectionId} done={afterSignIn} />}
        </Route>
        <Route path="/verify" component={VerifyEmail} />
        <Route path="/forgot-password" component={ForgotPassword} />
        <Route path="/reset" component={ResetPassword} />
        <Route path="/invitation" component={AcceptInvitation} />
        <Route path="/lock-down" component={LockDown} />
        <Route path="/profile">{() => <SignedIn page={<Profile />} />}</Route>
        <Route path="/inbox">{() => <SignedIn page={<Inbox />} />}</Route>
        <Route path="/sessions">{() => <SignedIn page={<Sessions />} />}</Route>
        <Route path="/account">{() => <SignedIn page={<Account />} />}</Route>
        <Route path="/change-email">{() => <SignedIn page={<ChangeEmail />} />}</Route>
        <Route component={NotFound} />
      </Switch>
    </Frame>
  )
}

function Home() {
  const { kind } = useSession()
  if (kind === 'unknown') return <Waiting />
  return kind === 'signed_in' ? <Redirect to="/profile" replace /> : <SignUp />
}

/** A page for people who are not signed in; the others are sent on. */
function Stranger({ page }: { page: ReactNode }) {
  const { kind } = useSession()
  return kind === 'signed_in' ? <Redirect to={afterSignIn()} replace /> : page
}

/** A page for signed-in people; strangers sign in first and come back. */
function SignedIn({ page }: { page: ReactNode }) {
  const { kind } = useSession()
  const [path, go] = useLocation()
  const wasSignedIn = useRef(false)
  useEffect(() => {
    if (kind === 'signed_in') wasSignedIn.current = true
    if (kind !== 'signed_out') return
    // Whoever signs out means to leave; whoever comes by a link means to get there.
    if (!wasSignedIn.current) sessionStorage.setItem('gatehouse.after-sign-in', path + location.hash)
    go('/sign-in', { replace: true })
  }, [kind, path, go])
  return kind === 'signed_in' ? page : <Waiting />
}

function afterSignIn(): string {
  const path = sessionStorage.getItem('gatehouse.after-sign-in') ?? '/profile'
  sessionStorage.removeItem('gatehouse.after-sign-in')
  // A path of ours and nothing else: whoever can write there must not choose a site.
  return /^\/[a-z]/.test(path) ? path : '/profile'
}
