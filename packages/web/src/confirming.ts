import type { DescService } from '@bufbuild/protobuf'
import type { CallOptions, Client } from '@connectrpc/connect'
import { refusedOf } from './errors.ts'

/** How strong the sign-in has to be, as the refusal says: `one_factor`, `two_factors`, `phishing_resistant`, or empty where it is only too old. */
export type NeededStrength = '' | 'one_factor' | 'two_factors' | 'phishing_resistant'

/** Has the person confirm who they are; `true` once the session was raised. */
export type Confirm = (needed: NeededStrength) => Promise<boolean>

type Call = (request: object, options?: CallOptions) => Promise<unknown>

/**
 * The client with calls that are refused for want of a fresh or strong sign-in made once more when the person has confirmed. Nothing was done when they are
 * refused so. It stands around the client and not within its transport: a person takes longer than a call may.
 */
export function confirming<S extends DescService>(service: S, client: Client<S>, confirm: Confirm): Client<S> {
  const calls = { ...(client as Record<string, unknown>) }
  for (const { localName, methodKind } of service.methods) {
    if (methodKind !== 'unary') continue
    const call = calls[localName] as Call
    const confirmed: Call = async (request, options) => {
      try {
        return await call(request, options)
      } catch (error) {
        const { reason, metadata } = refusedOf(error)
        if (reason !== 'STEP_UP_REQUIRED' || !(await confirm((metadata.strength ?? '') as NeededStrength))) throw error
        return await call(request, options)
      }
    }
    calls[localName] = confirmed
  }
  return calls as Client<S>
}
