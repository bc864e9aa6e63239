import { type Interaction, type InteractionRequest, refusedOf } from '@gatehouse/web'
import { useState } from 'react'
import { leave } from './leave.ts'

interface RefuseProps {
  readonly client: InteractionRequest['client']
  readonly interaction: Interaction
  /** That the person cannot, and not that they will not. */
  readonly unable?: boolean
}

/** The way back to the client without anything. */
export function Refuse({ client, interaction, unable = false }: RefuseProps) {
  const [problem, setProblem] = useState('')
  function refuse() {
    const refused = interaction.refuse(unable ? 'unmet_authentication_requirements' : undefined)
    leave(refused).catch((error: unknown) => setProblem(refusedOf(error).message))
  }
  return (
    <p className="aside">
      <button type="button" className="link" onClick={refuse}>
        {client.uri === null ? 'Cancel' : `Back to ${client.name} without signing in`}
      </button>{' '}
      <span role="alert">{problem}</span>
    </p>
  )
}
