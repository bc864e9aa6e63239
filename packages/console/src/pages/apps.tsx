import type { Grant } from '@gatehouse/contracts/gatehouse/auth/v1/grant_pb'
import { refusedOf } from '@gatehouse/web'
import { useCallback, useEffect, useRef, useState } from 'react'
import { gatehouse } from '../gatehouse.ts'
import { Problem } from '../parts/problem.tsx'
import { Section } from '../parts/section.tsx'
import { when } from '../parts/when.ts'
import { ofScope } from './oidc/in-sentences.ts'

/** What the person let which app do. Nothing is said of it where there is none. */
export function Apps() {
  const [grants, setGrants] = useState<readonly Grant[]>([])
  const [problem, setProblem] = useState('')
  const [removed, setRemoved] = useState('')
  const heading = useRef<HTMLHeadingElement>(null)
  const load = useCallback(async () => {
    try {
      setGrants(await everyGrant())
      setProblem('')
    } catch (error) {
      setProblem(refusedOf(error).message)
    }
  }, [])
  useEffect(() => void load(), [load])
  async function remove({ clientId, clientName }: Grant) {
    try {
      await gatehouse.grants.revokeGrant({ clientId })
      await load()
      setRemoved(`${clientName} may do nothing for you any more.`)
      heading.current?.focus()
    } catch (error) {
      setProblem(refusedOf(error).message)
    }
  }
  if (grants.length === 0 && problem === '' && removed === '') return null
  return (
    <Section title="Apps" wide heading={heading}>
      <Problem>{problem}</Problem>
      <p role="status" className={removed === '' ? 'done none' : 'done'}>
        {removed}
      </p>
      {grants.length === 0 && <p>No app may do anything for you.</p>}
      <ul className="list">
        {grants.map((grant) => (
          <App key={grant.clientId} grant={grant} remove={() => void remove(grant)} />
        ))}
      </ul>
    </Section>
  )
}

function App({ grant, remove }: { grant: Grant; remove: () => void }) {
  return (
    <li>
      <div>
        <strong>{grant.clientName}</strong> {grant.offline && <span className="badge plain">also when signed out</span>}
        {grant.scopes.map((scope) => (
          <p key={scope}>{ofScope(scope)}</p>
        ))}
        {grant.resources.map(({ resource, scopes }) => (
          <p key={resource}>
            At <code>{resource}</code>: {scopes.join(', ')}
          </p>
        ))}
        <small>
          Since {when(grant.createTime)}
          {grant.lastUseTime === undefined ? ', not in use now' : `, last used ${when(grant.lastUseTime)}`}
        </small>
      </div>
      <button type="button" className="quiet" onClick={remove}>
        Remove<span className="unseen"> {grant.clientName}</span>
      </button>
    </li>
  )
}

async function everyGrant(): Promise<Grant[]> {
  const all: Grant[] = []
  let pageToken = ''
  do {
    const page = await gatehouse.grants.listGrants({ pageSize: 200, pageToken })
    all.push(...page.grants)
    pageToken = page.nextPageToken
  } while (pageToken !== '')
  return all
}
