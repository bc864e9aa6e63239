import type { Interaction, InteractionRequest } from '@gatehouse/web'
import { Page } from '../../parts/page.tsx'
import { Refuse } from './refuse.tsx'

/** The client asks for more than anybody can prove here. */
export function NotReached({ request: { client }, interaction }: { request: InteractionRequest; interaction: Interaction }) {
  return (
    <Page title={`${client.name} asks for more than there is`}>
      <p>It wants a kind of sign-in that is not offered here. Whoever runs {client.name} can change what it asks for.</p>
      <Refuse client={client} interaction={interaction} unable />
    </Page>
  )
}
