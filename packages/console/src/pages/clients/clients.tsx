import type { Client } from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import { refusedOf } from '@gatehouse/web'
import { useCallback, useEffect, useState } from 'react'
import { gatehouse } from '../../gatehouse.ts'
import { Problem } from '../../parts/problem.tsx'
import { useTitle } from '../../parts/title.ts'
import { Waiting } from '../../parts/waiting.tsx'
import { ClientCard } from './client-card.tsx'
import { NewClientForm } from './new-client.tsx'
import { ShownSecret } from './shown-secret.tsx'

/** Programs that sign people in here; for administrators. */
export function Clients() {
  const heading = useTitle('Apps that sign people in here')
  const [clients, setClients] = useState<readonly Client[] | undefined>()
  const [problem, setProblem] = useState('')
  const [fresh, setFresh] = useState<{ clientId: string; secret: string } | undefined>()
  const load = useCallback(async () => {
    try {
      setClients(await everyClient())
      setProblem('')
    } catch (error) {
      const { reason, message } = refusedOf(error)
      setProblem(reason === 'PERMISSION_DENIED' ? 'This page is for administrators.' : message)
    }
  }, [])
  useEffect(() => void load(), [load])
  async function show(clientId: string, secret: string) {
    if (secret !== '') setFresh({ clientId, secret })
    await load()
  }
  return (
    <div className="stack">
      <h1 ref={heading} tabIndex={-1}>
        Apps that sign people in here
      </h1>
      <Problem>{problem}</Problem>
      {clients === undefined && problem === '' && <Waiting />}
      {fresh !== undefined && (
        <section className="card wide">
          <ShownSecret key={fresh.secret} {...fresh} onKept={() => setFresh(undefined)} />
        </section>
      )}
      {clients?.map((client) => (
        <ClientCard key={client.clientId} client={client} changed={load} show={show} />
      ))}
      {clients !== undefined && <NewClientForm key={clients.length} made={show} />}
    </div>
  )
}

async function everyClient(): Promise<Client[]> {
  const all: Client[] = []
  let pageToken = ''
  do {
    const page = await gatehouse.clients.listClients({ pageSize: 200, pageToken })
    all.push(...page.clients)
    pageToken = page.nextPageToken
  } while (pageToken !== '')
  return all
}
