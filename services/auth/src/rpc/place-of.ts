import type { Call } from '@gatehouse/rpc'
import type { SignInPlace } from '../core/accounts/caller.ts'
import { clientOf, presentedDevice, presentedTrust } from './session-cookie.ts'

/** Where somebody signs in from. */
export function placeOf(call: Call, useCookie: boolean): SignInPlace {
  return {
    userAgent: call.header('user-agent') ?? '',
    source: call.source,
    clientId: clientOf(useCookie),
    deviceToken: presentedDevice(call, useCookie),
    trustToken: presentedTrust(call, useCookie),
    signal: call.signal,
  }
}
