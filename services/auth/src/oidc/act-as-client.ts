import { callBehind } from './calls.ts'
import { currentContext } from './current-context.ts'

/**
 * Names the client as the one who acts, for what is written down from here on. To be called where the library has let the client in: before that its name is
 * only what somebody wrote.
 */
export function actAsClient(): void {
  const context = currentContext()
  const clientId = context?.oidc.client?.clientId
  if (context !== undefined && clientId !== undefined) callBehind(context.req)?.setCaller({ workload: `client:${clientId}` })
}
