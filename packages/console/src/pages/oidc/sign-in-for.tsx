import type { Interaction, InteractionRequest } from '@gatehouse/web'
import { SignIn } from '../sign-in.tsx'
import { Refuse } from './refuse.tsx'

/** The sign-in page of the house, which says for whom it is. */
export function SignInFor({ request, interaction }: { request: InteractionRequest; interaction: Interaction }) {
  const { client, loginHint } = request
  return (
    <SignIn title={`Sign in to go on to ${client.name}`} email={loginHint ?? ''}>
      <Refuse client={client} interaction={interaction} />
    </SignIn>
  )
}
