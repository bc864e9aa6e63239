import type { Session } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { refusedOf } from '@gatehouse/web'
import { useCallback, useEffect, useState } from 'react'
import { gatehouse } from '../gatehouse.ts'
import { deviceOf } from '../parts/device-of.ts'
import { networkOf } from '../parts/network-of.ts'
import { Problem } from '../parts/problem.tsx'
import { useTitle } from '../parts/title.ts'
import { when } from '../parts/when.ts'
import { Apps } from './apps.tsx'

/** Where the person is signed in, and what goes on for them there and elsewhere. */
export function Sessions() {
  const heading = useTitle('Where you are signed in')
  return (
    <div className="stack">
      <section className="card wide">
        <h1 ref={heading} tabIndex={-1}>
          Where you are signed in
        </h1>
        <SessionList />
      </section>
      <Apps />
    </div>
  )
}

function SessionList() {
  const [sessions, setSessions] = useState<readonly Session[] | undefined>()
  const [problem, setProblem] = useState('')
  const load = useCallback(async () => {
    try {
      setSessions((await gatehouse.sessions.listSessions({ pageSize: 200 })).sessions)
    } catch (error) {
      setProblem(refusedOf(error).message)
    }
  }, [])
  useEffect(() => void load(), [load])
  async function end(session: Session) {
    try {
      await gatehouse.sessions.revokeSession({ sessionId: session.id })
    } catch (error) {
      setProblem(refusedOf(error).message)
    }
    await load()
  }
  return (
    <>
      <Problem>{problem}</Problem>
      <ul className="list">
        {(sessions ?? []).map((session) => (
          <li key={session.id}>
            <div>
              <strong>{deviceOf(session.userAgent)}</strong> {session.current && <span className="badge">this browser</span>}
              {networkOf(session) !== '' && <p>From {networkOf(session)}</p>}
              <small>
                Signed in {when(session.createTime)}, last used {when(session.lastUseTime)}
              </small>
            </div>
            {!session.current && (
              <button type="button" className="quiet" onClick={() => void end(session)}>
                End<span className="unseen"> the session on {deviceOf(session.userAgent)}</span>
              </button>
            )}
          </li>
        ))}
      </ul>
    </>
  )
}
