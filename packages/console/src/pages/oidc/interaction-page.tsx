import { type InteractionRequest, interactionAt, refusedOf } from '@gatehouse/web'
import { useEffect, useMemo, useState } from 'react'
import { Link } from 'wouter'
import { gatehouse, useSession } from '../../gatehouse.ts'
import { comeBackTo } from '../../parts/after-sign-in.ts'
import { Page } from '../../parts/page.tsx'
import { Waiting } from '../../parts/waiting.tsx'
import { Consent } from './consent.tsx'
import { GoOn } from './go-on.tsx'
import { SignInFor } from './sign-in-for.tsx'

/** Where the browser is sent when a client asks for somebody: they sign in, and say what it may do. */
export function InteractionPage({ uid }: { uid: string }) {
  const interaction = useMemo(() => interactionAt(uid, gatehouse.session), [uid])
  const [request, setRequest] = useState<InteractionRequest | undefined>()
  const [failed, setFailed] = useState<unknown>()
  const { kind } = useSession()
  useEffect(() => {
    let current = true
    interaction.request().then(
      (told) => current && setRequest(told),
      (error: unknown) => current && setFailed(error),
    )
    return () => {
      current = false
    }
  }, [interaction])
  // Whoever creates an account or resets a password first comes back here.
  useEffect(() => comeBackTo(`/oidc/i/${uid}`), [uid])
  if (failed !== undefined) return <Over error={failed} />
  if (request === undefined || kind === 'unknown') return <Waiting />
  if (kind === 'signed_out') return <SignInFor request={request} interaction={interaction} />
  if (request.prompt === 'consent') return <Consent request={request} interaction={interaction} fail={setFailed} />
  return <GoOn request={request} interaction={interaction} fail={setFailed} />
}

/** What is over is told apart from what may come back. */
function Over({ error }: { error: unknown }) {
  const { reason, message } = refusedOf(error)
  if (reason !== 'INTERACTION_INVALID') {
    return (
      <Page title="That did not work">
        <p role="alert">{message}</p>
        <button type="button" className="main" onClick={() => location.reload()}>
          Try again
        </button>
      </Page>
    )
  }
  return (
    <Page title="Please begin again">
      <p role="alert">This page was used already, is too old, or was begun in another browser.</p>
      <p>Go back to the app that sent you here, and sign in there once more.</p>
      <p className="aside">
        <Link href="/">To your account</Link>
      </p>
    </Page>
  )
}
