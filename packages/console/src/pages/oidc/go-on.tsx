import { type Interaction, type InteractionRequest, interactionNeeds, type NeededStrength } from '@gatehouse/web'
import { useEffect, useRef, useState } from 'react'
import { useSession } from '../../gatehouse.ts'
import { Waiting } from '../../parts/waiting.tsx'
import { ConfirmYourself } from './confirm-yourself.tsx'
import { leave } from './leave.ts'
import { NotReached } from './not-reached.tsx'
import { OtherPerson } from './other-person.tsx'

export interface GoOnProps {
  readonly request: InteractionRequest
  readonly interaction: Interaction
  readonly fail: (error: unknown) => void
}

/** Somebody is signed in: the client gets that without a word, unless it wants more than that. */
export function GoOn({ request, interaction, fail }: GoOnProps) {
  const session = useSession()
  const [needs, setNeeds] = useState<{ need: string; strength: string } | undefined>()
  // A new access token of the same session is no new sign-in.
  const tried = useRef('')
  const sessionId = session.kind === 'signed_in' ? session.sessionId : ''
  async function tryIt() {
    try {
      await leave(interaction.signIn())
    } catch (error) {
      const missing = interactionNeeds(error)
      if (missing === undefined) fail(error)
      else setNeeds(missing)
    }
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each session
  useEffect(() => {
    if (tried.current === sessionId) return
    tried.current = sessionId
    void tryIt()
  }, [sessionId])
  if (needs === undefined || session.kind !== 'signed_in') return <Waiting />
  const { email } = session.user
  if (needs.need === 'other_person') return <OtherPerson email={email} request={request} interaction={interaction} />
  if (needs.strength === 'out_of_reach') return <NotReached request={request} interaction={interaction} />
  return (
    <ConfirmYourself
      key={`${needs.need} ${needs.strength}`}
      email={email}
      strength={needs.strength as NeededStrength}
      request={request}
      interaction={interaction}
      confirmed={tryIt}
    />
  )
}
