import type { Session } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { refusedOf } from '@gatehouse/web'
import { useCallback, useEffect, useState } from 'react'
import { gatehouse } from '../gatehouse.ts'
import { Page } from '../parts/page.tsx'

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
      <p role="alert" className={problem ? 'alert' : 'alert none'}>
        {problem}
      </p>
      <ul className="list">
        {(sessions ?? []).map((session) => (
          <li key={session.id}>
            <div>
              <strong>{deviceOf(session.userAgent)}</strong> {session.current && <span className="badge">this browser</span>}
              <p>{session.network && `From ${session.network}`}</p>
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

function when(time: { seconds: bigint } | undefined): string {
  return time ? new Date(Number(time.seconds) * 1000).toLocaleString() : 'at an unknown time'
}

/** Two words for a person; the whole text is nobody's reading. */
function deviceOf(userAgent: string): string {
  const browser = /Edg\//.test(userAgent)
    ? 'Edge'
    : /Firefox\//.test(userAgent)
      ? 'Firefox'
      : /Chrom/.test(userAgent)
        ? 'Chrome'
        : /Safari\//.test(userAgent)
          ? 'Safari'
          : ''
  const system = /Android/.test(userAgent)
    ? 'Android'
    : /iPhone|iPad/.test(userAgent)
      ? 'iOS'
      : /Windows/.test(userAgent)
        ? 'Windows'
        : /Mac OS/.test(userAgent)
          ? 'macOS'
          : /Linux/.test(userAgent)
            ? 'Linux'
            : ''
  return [browser, system].filter(Boolean).join(' on ') || userAgent.slice(0, 40) || 'A program'
}
