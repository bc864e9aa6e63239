import { refusedOf } from '@gatehouse/web'
import { useState } from 'react'
import { gatehouse } from '../../gatehouse.ts'

/** A browser has one session: another account comes in when this one is out. */
export function AnotherAccount() {
  const [problem, setProblem] = useState('')
  function signOut() {
    gatehouse.session.signOut().catch((error: unknown) => setProblem(refusedOf(error).message))
  }
  return (
    <p className="aside">
      <button type="button" className="link" onClick={signOut}>
        Use another account
      </button>{' '}
      <span className="hint">This one is signed out first.</span> <span role="alert">{problem}</span>
    </p>
  )
}
