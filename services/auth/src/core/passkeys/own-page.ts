import { PasskeyProblem, withProblems } from './passkey-problem.ts'
import { webauthnFormats } from './webauthn.ts'

/**
 * Refuses what was made in a frame of another site (WebAuthn Level 3, 7.1 steps 10–11 and 7.2 steps 13–14). The library lets a frame pass in a
 * registration, and where the browser does not tell whose it is.
 */
export async function madeOnOwnPage(clientDataJSON: string): Promise<void> {
  const { decodeClientDataJSON } = await webauthnFormats()
  const { crossOrigin, topOrigin } = await withProblems(() => {
    const { crossOrigin, topOrigin } = decodeClientDataJSON(clientDataJSON)
    return { crossOrigin, topOrigin }
  })
  if (crossOrigin !== undefined && crossOrigin !== false) throw new PasskeyProblem('it was made in a frame of another origin')
  if (topOrigin !== undefined) throw new PasskeyProblem('it was made below another page')
}
