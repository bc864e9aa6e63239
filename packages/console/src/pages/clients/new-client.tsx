import { useId } from 'react'
import { gatehouse } from '../../gatehouse.ts'
import { Field, Form } from '../../parts/form.tsx'
import { Section } from '../../parts/section.tsx'
import { Addresses } from './addresses.tsx'
import { refusals } from './refusals.ts'
import { kinds, settingsOfNew } from './settings-of.ts'

/** Makes a client; its secret is handed on. */
export function NewClientForm({ made }: { made: (clientId: string, secret: string) => Promise<void> }) {
  const kind = useId()
  async function submit(fields: Record<string, string>) {
    const { clientId = '', name = '', kind: chosen = '', redirectUris = '', postLogoutRedirectUris = '', firstParty } = fields
    const settings = settingsOfNew({ name, kind: chosen, redirectUris, postLogoutRedirectUris, firstParty: firstParty !== undefined })
    const { client, clientSecret } = await gatehouse.clients.createClient({ clientId, settings })
    await made(client?.clientId ?? clientId, clientSecret)
  }
  return (
    <Section title="A new app" wide>
      <Form action="Create it" onSubmit={submit} sentences={refusals}>
        <Field name="name" label="Name" hint="What people read." required />
        <Field
          name="clientId"
          label="Client ID"
          hint="Small letters, digits and hyphens; never given again."
          autoCapitalize="off"
          spellCheck={false}
        />
        <div className="field">
          <label htmlFor={kind}>What it is</label>
          <select id={kind} name="kind">
            {[...kinds].map(([value, { title }]) => (
              <option key={value} value={value}>
                {title}
              </option>
            ))}
          </select>
        </div>
        <Addresses name="redirectUris" label="Redirect URIs, one a line" />
        <Addresses name="postLogoutRedirectUris" label="Where people go after a sign-out, one a line" />
        <label className="check field">
          <input type="checkbox" name="firstParty" />
          One of our own: nobody is asked whether it may
        </label>
      </Form>
    </Section>
  )
}
