import type { Interaction, InteractionRequest } from '@gatehouse/web'
import { Page } from '../../parts/page.tsx'
import { AnotherAccount } from './another-account.tsx'
import { Refuse } from './refuse.tsx'

interface OtherPersonProps {
  readonly email: string
  readonly request: InteractionRequest
  readonly interaction: Interaction
}

/** The client means somebody in particular, who is not the one that is signed in. */
export function OtherPerson({ email, request: { client }, interaction }: OtherPersonProps) {
  return (
    <Page title={`${client.name} asks for somebody else`}>
      <p>
        You are signed in as {email}, and {client.name} asks for another account of this house. If it is yours too, sign in with it.
      </p>
      <AnotherAccount />
      <Refuse client={client} interaction={interaction} />
    </Page>
  )
}
