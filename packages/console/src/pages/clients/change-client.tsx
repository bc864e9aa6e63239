import { type Client, ClientKind } from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import { gatehouse } from '../../gatehouse.ts'
import { Field, Form } from '../../parts/form.tsx'
import { Addresses } from './addresses.tsx'
import { refusals } from './refusals.ts'
import { grants, scopes, scopesOf, settingsChanged } from './settings-of.ts'
import { Ticks } from './ticks.tsx'

/** Changes what is often changed of a client; the rest stays, and is set by the command or the API. */
export function ChangeClient({ client, changed }: { client: Client; changed: () => Promise<void> }) {
  const { clientId, kind } = client
  async function save(fields: Record<string, string>) {
    await gatehouse.clients.updateClient({ clientId, settings: settingsChanged(client, fields), etag: client.etag })
    await changed()
  }
  const isService = kind === ClientKind.SERVICE
  return (
    <Form action="Save" quiet onSubmit={save} sentences={refusals}>
      <Field name="name" label="Name" hint="What people read." defaultValue={client.name} required />
      {!isService && (
        <>
          <Addresses name="redirectUris" label="Redirect URIs, one a line" value={client.redirectUris} />
          <Addresses
            name="postLogoutRedirectUris"
            label="Where people go after a sign-out, one a line"
            value={client.postLogoutRedirectUris}
          />
          <Field
            name="backchannelLogoutUri"
            label="Where it is told of sign-outs"
            hint="Empty where it is not."
            type="url"
            defaultValue={client.backchannelLogoutUri}
          />
          <Ticks legend="What it may ask people for" prefix="scope:" choices={scopes} ticked={new Set(scopesOf(client))} />
        </>
      )}
      <Ticks legend="By what it gets tokens" prefix="grant:" choices={grants} ticked={new Set(client.grantTypes.map(String))} />
      {!isService && (
        <label className="check field">
          <input type="checkbox" name="firstParty" defaultChecked={client.firstParty} />
          One of our own: nobody is asked whether it may
        </label>
      )}
    </Form>
  )
}
