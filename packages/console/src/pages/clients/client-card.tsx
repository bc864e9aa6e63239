import type { Client } from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import { gatehouse } from '../../gatehouse.ts'
import { AskFirst } from '../../parts/ask-first.tsx'
import { Section } from '../../parts/section.tsx'
import { when } from '../../parts/when.ts'
import { ChangeClient } from './change-client.tsx'

interface ClientCardProps {
  readonly client: Client
  readonly changed: () => Promise<void>
  readonly show: (clientId: string, secret: string) => Promise<void>
}

export function ClientCard({ client, changed, show }: ClientCardProps) {
  const { clientId, name, secrets, disableTime } = client
  async function rotate() {
    const { clientSecret } = await gatehouse.clients.rotateClientSecret({ clientId })
    await show(clientId, clientSecret)
  }
  async function disable() {
    await gatehouse.clients.disableClient({ clientId })
    await changed()
  }
  async function enable() {
    await gatehouse.clients.enableClient({ clientId })
    await changed()
  }
  return (
    <Section title={name} wide>
      <p>
        <code className="address">{clientId}</code> {client.firstParty && <span className="badge plain">our own</span>}{' '}
        {client.registered && <span className="badge plain">registered itself: nobody looked at its name</span>}{' '}
        {disableTime && <span className="badge plain">switched off {when(disableTime)}</span>}
      </p>
      <details>
        <summary>Change {name}</summary>
        <ChangeClient key={client.etag} client={client} changed={changed} />
        <div className="posted">
          {secrets.length > 0 && (
            <AskFirst ask="Make a new secret" action="Make it" onConfirm={rotate}>
              The secret that ends with {secrets.map(({ hint }) => hint).join(' or ')} goes on for a day.
            </AskFirst>
          )}
          {disableTime ? (
            <AskFirst ask="Switch it on" action="Switch it on" onConfirm={enable}>
              People can sign in to {name} again.
            </AskFirst>
          ) : (
            <AskFirst ask="Switch it off" action="Switch it off" danger onConfirm={disable}>
              Nobody signs in to {name} any more, and it gets nothing, within a second.
            </AskFirst>
          )}
        </div>
      </details>
    </Section>
  )
}
