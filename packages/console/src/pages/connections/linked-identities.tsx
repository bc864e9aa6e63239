import type { LinkedIdentity } from '@gatehouse/contracts/gatehouse/auth/v1/connection_pb'
import { refusedOf } from '@gatehouse/web'
import { useCallback, useEffect, useState } from 'react'
import { gatehouse } from '../../gatehouse.ts'
import { Form } from '../../parts/form.tsx'
import { Problem } from '../../parts/problem.tsx'
import { Section } from '../../parts/section.tsx'
import { when } from '../../parts/when.ts'
import { depart } from './departure.ts'
import { useConnections } from './elsewhere.tsx'

const sentences = {
  LINK_NEEDS_PROOF: 'Please prove your e-mail address first.',
}

/** Who the person is elsewhere: what signs them in beside a password. Not there where the tenant connects to nobody. */
export function LinkedIdentities({ email }: { email: string }) {
  const [identities, setIdentities] = useState<readonly LinkedIdentity[]>()
  const [problem, setProblem] = useState('')
  const { all, ofDomain } = useConnections(email)
  const load = useCallback(async () => {
    try {
      setIdentities((await gatehouse.connections.listLinkedIdentities({})).identities)
    } catch (error) {
      setProblem(refusedOf(error).message)
    }
  }, [])
  useEffect(() => void load(), [load])
  async function unlink({ identityId }: LinkedIdentity) {
    setProblem('')
    try {
      await gatehouse.connections.unlinkIdentity({ identityId })
    } catch (error) {
      setProblem(refusedOf(error).message)
    }
    await load()
  }
  const ways = [...all, ...(ofDomain && !all.some(({ connectionId }) => connectionId === ofDomain.connectionId) ? [ofDomain] : [])]
  const unlinked = ways.filter(({ connectionId }) => !identities?.some((each) => each.connectionId === connectionId))
  if (identities === undefined || (identities.length === 0 && unlinked.length === 0)) return <Problem>{problem}</Problem>
  return (
    <Section title="Sign-in elsewhere">
      <p>Whoever you connect here signs you in, and nobody else who merely has the same address.</p>
      <Problem>{problem}</Problem>
      {identities.length > 0 && (
        <ul className="list">
          {identities.map((identity) => (
            <li key={identity.identityId}>
              <div>
                <p>
                  <strong>{identity.connectionName}</strong>
                </p>
                <p>
                  <small>
                    {identity.email}, connected {when(identity.linkTime)}
                  </small>
                </p>
              </div>
              <div className="acts">
                <button type="button" className="quiet" onClick={() => void unlink(identity)}>
                  Disconnect<span className="unseen"> {identity.connectionName}</span>
                </button>
              </div>
            </li>
          ))}
        </ul>
      )}
      {unlinked.map(({ connectionId, name }) => (
        <Form key={connectionId} action={`Connect ${name}`} quiet onSubmit={() => depart('link', connectionId)} sentences={sentences}>
          {null}
        </Form>
      ))}
    </Section>
  )
}
