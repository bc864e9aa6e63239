import type { ProviderParts } from '../oidc-deps.ts'
import { finishInteraction, type Interaction } from './interaction.ts'
import { invalidField } from './read-body.ts'

/** Sends the person back without anything: they do not want to, or cannot sign in as strongly as the client asks. */
export async function refuseInteraction(
  { acts, tenant }: Pick<ProviderParts, 'acts' | 'tenant'>,
  interaction: Interaction,
  error: unknown,
): Promise<{ location: string }> {
  const result = resultOf(interaction, error)
  // The library insists on the session that it began with, and whoever signed out meanwhile wants to go back all the more: a refusal gives nothing to any session.
  const { session: _before, ...rest } = interaction
  return await finishInteraction({ acts }, tenant, rest as Interaction, result)
}

function resultOf({ prompt }: Interaction, error: unknown) {
  if (error === undefined) return { error: 'access_denied', error_description: 'the person refused' }
  if (error !== 'unmet_authentication_requirements' || !prompt.reasons.includes('strength')) throw invalidField('error')
  return { error, error_description: 'the person cannot sign in as strongly as asked' }
}
