import { refusedOf } from '@gatehouse/web'
import { useEffect, useRef, useState } from 'react'
import { Link, useLocation } from 'wouter'
import { gatehouse, signedIn, useSession } from '../../gatehouse.ts'
import { Page } from '../../parts/page.tsx'
import { Problem } from '../../parts/problem.tsx'
import { Waiting } from '../../parts/waiting.tsx'
import { arrived } from './departure.ts'

const sentences: Readonly<Record<string, string>> = {
  CONNECTION_LOGIN_FAILED: 'That did not work: it was begun in another browser, took too long, or was used before. Please try again.',
  PERSON_CANNOT_SIGN_IN: 'This account cannot sign in. Please ask whoever looks after it.',
  STRENGTH_OUT_OF_REACH: 'Your account needs a second factor that you do not have. Please ask whoever looks after it.',
}

/** Where a provider sends people back to. The answer is good once: it leaves the address bar before anything is done with it. */
export function ConnectionCallback({ connectionId, done }: { connectionId: string; done: () => string }) {
  const [, go] = useLocation()
  const { kind } = useSession()
  const [problem, setProblem] = useState('')
  const [isOver, setIsOver] = useState(false)
  const isBegun = useRef(false)
  useEffect(() => {
    if (isBegun.current) return
    isBegun.current = true
    const answer = new URLSearchParams(location.search)
    history.replaceState(null, '', location.pathname)
    complete(connectionId, answer).then(
      () => setIsOver(true),
      (error: unknown) => {
        const refused = refusedOf(error)
        setProblem(error instanceof Declined ? error.message : (sentences[refused.reason] ?? refused.message))
      },
    )
  }, [connectionId])
  useEffect(() => {
    if (isOver && kind === 'signed_in') leave(done(), go)
  }, [isOver, kind, done, go])
  if (problem === '') return <Waiting />
  return (
    <Page title="Signing in elsewhere">
      <Problem>{problem}</Problem>
      <p className="aside">
        {kind === 'signed_in' ? <Link href="/account">Back to your account</Link> : <Link href="/sign-in">Back to sign-in</Link>}
      </p>
    </Page>
  )
}

class Declined extends Error {}

async function complete(connectionId: string, answer: URLSearchParams): Promise<void> {
  const departure = arrived()
  const of = (name: string) => answer.get(name) ?? ''
  if (of('code') === '' || departure?.connectionId !== connectionId) throw new Declined('Nobody was signed in. Please try again.')
  const back = { connectionId, state: of('state'), code: of('code'), iss: of('iss') }
  const { connections } = gatehouse
  sessionStorage.setItem('gatehouse.after-sign-in', departure.from === '/sign-in' ? keptPath() : departure.from)
  if (departure.purpose === 'link') await connections.completeLink(back)
  else signedIn((await connections.completeConnectionSignIn({ ...back, useCookie: true })).result)
}

const keptPath = () => sessionStorage.getItem('gatehouse.after-sign-in') ?? '/profile'

/** Pages on which people sign in to other programs are not of this app's router: the server gives each its own. */
function leave(path: string, go: (path: string, options: { replace: boolean }) => void): void {
  if (path.startsWith('/oidc/')) location.replace(path)
  else go(path, { replace: true })
}
