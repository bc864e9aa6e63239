import type { Interaction, InteractionRequest, NeededStrength } from '@gatehouse/web'
import { Form } from '../../parts/form.tsx'
import { useTitle } from '../../parts/title.ts'
import { Factors } from '../account.tsx'
import { Refuse } from './refuse.tsx'

const sentences = { STRENGTH_OUT_OF_REACH: 'There is nothing yet that is strong enough.' }

interface AddFactorFirstProps {
  readonly strength: NeededStrength
  readonly request: InteractionRequest
  readonly interaction: Interaction
  readonly added: () => Promise<void>
}

/** The person has nothing that is strong enough yet: they may add it here, and go on. */
export function AddFactorFirst({ strength, request: { client }, interaction, added }: AddFactorFirstProps) {
  const heading = useTitle('One thing more')
  return (
    <div className="stack">
      <section className="card">
        <h1 ref={heading} tabIndex={-1}>
          One thing more
        </h1>
        <p>
          {client.name} asks for {strength === 'phishing_resistant' ? 'a passkey' : 'a second factor'}, and you have none yet. Add{' '}
          {strength === 'phishing_resistant' ? 'one' : 'a passkey or an authenticator app'} below, and go on.
        </p>
        <Form action="I have added it: go on" onSubmit={added} sentences={sentences}>
          {null}
        </Form>
        <Refuse client={client} interaction={interaction} unable />
      </section>
      <Factors />
    </div>
  )
}
