import type { Client } from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import { gatehouse } from '../../gatehouse.ts'
import { AskFirst } from '../../parts/ask-first.tsx'
import { Form } from '../../parts/form.tsx'
import { Section } from '../../parts/section.tsx'
import { when } from '../../parts/when.ts'
import { Addresses } from './addresses.tsx'
import { refusals } from './refusals.ts'
import { withAddresses } from './settings-of.ts'

interface ClientCardProps {
  readonly client: Client
  readonly changed: () => Promise<void>
  readonly show: (clientId: string, secret: string) => Promise<void>
}

export function ClientCard({ client, changed, show }: ClientCardProps) {
  const { clientId, name, secrets, disableTime } = client
  async function save({ redirectUris = '', postLogoutRedirectUris = '' }: Record<string, string>) {
    const settings = withAddresses(client, redirectUris, postLogoutRedirectUris)
    await gatehouse.clients.updateClient({ clientId, settings, etag: client.etag })
    await changed()
  }
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
        {disableTime && <span className="badge plain">switched off {when(disableTime)}</span>}
      </p>
      <details>
        <summary>Change {name}</summary>
        {client.redirectUris.length > 0 && (
          <Form key={client.etag} action="Save the addresses" quiet onSubmit={save} sentences={refusals}>
            <Addresses name="redirectUris" label="Redirect URIs, one a line" value={client.redirectUris} />
            <Addresses
              name="postLogoutRedirectUris"
              label="Where people go after a sign-out, one a line"
              value={client.postLogoutRedirectUris}
            />
          </Form>
        )}
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
