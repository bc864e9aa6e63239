import type { Access, InteractionRequest } from '@gatehouse/web'
import { useSession } from '../../gatehouse.ts'
import { Form } from '../../parts/form.tsx'
import { Page } from '../../parts/page.tsx'
import type { GoOnProps } from './go-on.tsx'
import { ofClaim, ofScope } from './in-sentences.ts'
import { leave } from './leave.ts'

const sentences = {
  INTERACTION_NEEDS: 'You have signed in as somebody else meanwhile. Please go back to the app and begin again.',
}

/** What the client wants to know and do, in the words of a person, who takes out what they do not want. */
export function Consent({ request, interaction, fail }: GoOnProps) {
  const session = useSession()
  const { client, missing } = request
  async function allow(fields: Record<string, string>) {
    await leave(interaction.consent(ticked(missing, new Set(Object.keys(fields)))))
  }
  return (
    <Page title={`Let ${client.name} in?`}>
      <p>
        {session.kind === 'signed_in' && `You are ${session.user.email}. `}
        {client.uri === null ? `${client.name} on your device` : client.name} asks to:
      </p>
      <Form action="Allow" onSubmit={allow} sentences={sentences}>
        <Wishes {...request} />
        <p className="hint">
          {client.uri !== null && (
            <>
              You go on to <strong>{client.uri}</strong>.{' '}
            </>
          )}
          You can take this back at any time, under Sessions.
        </p>
      </Form>
      <button type="button" className="quiet whole below" onClick={() => void leave(interaction.refuse()).catch(fail)}>
        Refuse
      </button>
    </Page>
  )
}

/** All that it asks for. What it has already, and who the person is, is not up for choice. */
function Wishes({ asked, missing }: Pick<InteractionRequest, 'asked' | 'missing'>) {
  const resources = Object.entries(asked.resources)
  return (
    <>
      <ul className="wishes">
        {asked.scopes.map((scope) => (
          <Wish key={scope} name={nameOf.scope(scope)} fixed={scope === 'openid' || !missing.scopes.includes(scope)}>
            {ofScope(scope)}
          </Wish>
        ))}
        {missing.claims
          .filter((claim) => !missing.scopes.includes(claim))
          .map((claim) => (
            <Wish key={claim} name={nameOf.claim(claim)} fixed={false}>
              {ofClaim(claim)}
            </Wish>
          ))}
      </ul>
      {resources.map(([resource, scopes]) => (
        <fieldset key={resource} className="wishes">
          <legend>
            At <code>{resource}</code>, for you
          </legend>
          {scopes.map((scope) => (
            <Wish key={scope} name={nameOf.resource(resource, scope)} fixed={!missing.resources[resource]?.includes(scope)} as="div">
              {ofScope(scope)}
            </Wish>
          ))}
        </fieldset>
      ))}
    </>
  )
}

interface WishProps {
  readonly name: string
  readonly fixed: boolean
  readonly children: string
  readonly as?: 'li' | 'div'
}

function Wish({ name, fixed, children, as: Element = 'li' }: WishProps) {
  return (
    <Element>
      <label className="check">
        <input type="checkbox" name={name} defaultChecked disabled={fixed} />
        {children}
      </label>
    </Element>
  )
}

/** Names of the boxes. */
const nameOf = {
  scope: (scope: string) => `scope ${scope}`,
  claim: (claim: string) => `claim ${claim}`,
  resource: (resource: string, scope: string) => `resource ${resource} ${scope}`,
}

/** What of it is ticked. A claim that a scope's box stands for goes with that box. */
function ticked(missing: Access, boxes: ReadonlySet<string>): Access {
  return {
    scopes: missing.scopes.filter((scope) => boxes.has(nameOf.scope(scope))),
    claims: missing.claims.filter((claim) => boxes.has(nameOf.claim(claim)) || boxes.has(nameOf.scope(claim))),
    resources: Object.fromEntries(
      Object.entries(missing.resources).map(([resource, scopes]) => [
        resource,
        scopes.filter((scope) => boxes.has(nameOf.resource(resource, scope))),
      ]),
    ),
  }
}
