import { type ReactNode, useEffect, useRef } from 'react'
import { Redirect, Route, Switch, useLocation } from 'wouter'
import { usePendingStep, useSession } from './gatehouse.ts'
import { AcceptInvitation } from './pages/accept-invitation.tsx'
import { Account } from './pages/account.tsx'
import { AddSecondFactor } from './pages/add-second-factor.tsx'
import { ChangeEmail } from './pages/change-email.tsx'
import { Clients } from './pages/clients/clients.tsx'
import { ConnectionCallback } from './pages/connections/callback.tsx'
import { ContinueSignIn } from './pages/continue-sign-in.tsx'
import { ForgotPassword } from './pages/forgot-password.tsx'
import { Inbox } from './pages/inbox.tsx'
import { LockDown } from './pages/lock-down.tsx'
import { NotFound } from './pages/not-found.tsx'
import { InteractionPage } from './pages/oidc/interaction-page.tsx'
import { libraryDataAt } from './pages/oidc/library-data.ts'
import { LibraryPage } from './pages/oidc/library-page.tsx'
import { Profile } from './pages/profile.tsx'
import { ResetPassword } from './pages/reset-password.tsx'
import { Sessions } from './pages/sessions.tsx'
import { SignIn } from './pages/sign-in.tsx'
import { SignInLink } from './pages/sign-in-link.tsx'
import { SignUp } from './pages/sign-up.tsx'
import { VerifyEmail } from './pages/verify-email.tsx'
import { afterSignIn, comeBackTo } from './parts/after-sign-in.ts'
import { Frame } from './parts/frame.tsx'
import { Waiting } from './parts/waiting.tsx'

export function App() {
  const step = usePendingStep()
  const [path] = useLocation()
  const data = libraryDataAt(path)
  if (data !== undefined) {
    return (
      <Frame bare>
        <LibraryPage data={data} />
      </Frame>
    )
  }
  // Who comes from an app is on the way to it.
  const bare = path.startsWith('/oidc/')
  if (step !== undefined) {
    return <Frame bare={bare}>{step.enrol.length > 0 ? <AddSecondFactor step={step} /> : <ContinueSignIn step={step} />}</Frame>
  }
  return (
    <Frame bare={bare}>
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
        <Route path="/clients">{() => <SignedIn page={<Clients />} />}</Route>
        <Route path="/change-email">{() => <SignedIn page={<ChangeEmail />} />}</Route>
        <Route path="/oidc/i/:uid">{({ uid }) => <InteractionPage key={uid} uid={uid} />}</Route>
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
    if (!wasSignedIn.current) comeBackTo(path + location.hash)
    go('/sign-in', { replace: true })
  }, [kind, path, go])
  return kind === 'signed_in' ? page : <Waiting />
}
