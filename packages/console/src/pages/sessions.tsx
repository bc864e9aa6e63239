import type { Session } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { refusedOf } from '@gatehouse/web'
import { useCallback, useEffect, useState } from 'react'
import { gatehouse } from '../gatehouse.ts'
import { deviceOf } from '../parts/device-of.ts'
import { networkOf } from '../parts/network-of.ts'
import { Page } from '../parts/page.tsx'
import { Problem } from '../parts/problem.tsx'
import { when } from '../parts/when.ts'

/** Where the person is signed in. */
export function Sessions() {
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
    <Page title="Where you are signed in" wide>
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
    </Page>
  )
}
