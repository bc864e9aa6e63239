import type { ServiceImpl } from '@connectrpc/connect'
import type { PasskeyService } from '@gatehouse/contracts/gatehouse/auth/v1/passkey_service_pb'
import { type Call, callOf } from '@gatehouse/rpc'
import type { Deps } from '../core/deps.ts'
import { beginPasskeyRegistration, type RegisteringPerson } from '../core/passkeys/begin-registration.ts'
import { beginPasskeySignIn } from '../core/passkeys/begin-sign-in.ts'
import { completePasskeyRegistration } from '../core/passkeys/complete-registration.ts'
import { completePasskeySignIn } from '../core/passkeys/complete-sign-in.ts'
import { deletePasskey } from '../core/passkeys/delete-passkey.ts'
import { listPasskeys } from '../core/passkeys/list-passkeys.ts'
import { renamePasskey } from '../core/passkeys/rename-passkey.ts'
import { placeOf } from './place-of.ts'
import { allowCookie, resultOf } from './session-cookie.ts'

/** Passkeys: signing in with them, and having them. */
export function passkeyService(deps: Deps) {
  return {
    async beginPasskeySignIn(_, context) {
      return await beginPasskeySignIn(deps, { tenant: callOf(context).tenant })
    },
    async completePasskeySignIn({ attemptId, passkeyJson, useCookie }, context) {
      const call = callOf(context)
      allowCookie(call, useCookie)
      const input = { tenant: call.tenant, attemptId, passkeyJson, place: placeOf(call, useCookie) }
      return { result: resultOf(deps, call, await completePasskeySignIn(deps, input), useCookie) }
    },
    async listPasskeys(_, context) {
      const { tenant, userId } = callerOf(callOf(context))
      return { passkeys: await listPasskeys(deps, { tenant, userId }) }
    },
    async beginPasskeyRegistration(_, context) {
      return await beginPasskeyRegistration(deps, callerOf(callOf(context)))
    },
    async completePasskeyRegistration({ attemptId, passkeyJson, name }, context) {
      return await completePasskeyRegistration(deps, { ...callerOf(callOf(context)), attemptId, passkeyJson, name })
    },
    async renamePasskey({ passkeyId, name }, context) {
      const { tenant, userId } = callerOf(callOf(context))
      return { passkey: await renamePasskey(deps, { tenant, userId, id: passkeyId, name }) }
    },
    async deletePasskey({ passkeyId }, context) {
      await deletePasskey(deps, callerOf(callOf(context)), passkeyId)
      return {}
    },
  } satisfies ServiceImpl<typeof PasskeyService>
}

function callerOf(call: Call): RegisteringPerson {
  const { tenant, id: userId, sessionId, strength } = call.person()
  return { tenant, userId, sessionId, strength }
}
