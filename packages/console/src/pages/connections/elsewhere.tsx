import type { SignInConnection } from '@gatehouse/contracts/gatehouse/auth/v1/connection_pb'
import { useEffect, useState } from 'react'
import { gatehouse } from '../../gatehouse.ts'
import { Form } from '../../parts/form.tsx'
import { depart } from './departure.ts'

interface Ways {
  readonly all: readonly SignInConnection[]
  readonly ofDomain: SignInConnection | undefined
}

const none: Ways = { all: [], ofDomain: undefined }

/** The ways to sign in elsewhere, with that of the address's domain; none where they cannot be had. */
export function useConnections(email = ''): Ways {
  const [ways, setWays] = useState<Ways>(none)
  useEffect(() => {
    let isWanted = true
    // An address that is half typed is none: the ways without one stay.
    const asked = gatehouse.connections.listSignInConnections({ email: /^\S+@\S+\.\S+$/.test(email) ? email : '' })
    asked.then(
      ({ connections, ofDomain }) => isWanted && setWays({ all: connections, ofDomain }),
      () => {},
    )
    return () => {
      isWanted = false
    }
  }, [email])
  return ways
}

/** Buttons that lead to providers elsewhere, that of the address's domain first. */
export function Elsewhere({ email }: { email: string }) {
  const { all, ofDomain } = useConnections(email)
  const others = all.filter(({ connectionId }) => connectionId !== ofDomain?.connectionId)
  const shown = ofDomain === undefined ? others : [ofDomain, ...others]
  if (shown.length === 0) return null
  return (
    <>
      <p className="or">or</p>
      {ofDomain?.required === true && <p>Your organisation signs you in.</p>}
      {shown.map(({ connectionId, name }) => (
        <Form key={connectionId} action={`Continue with ${name}`} quiet onSubmit={() => depart('sign-in', connectionId, email)}>
          {null}
        </Form>
      ))}
    </>
  )
}
