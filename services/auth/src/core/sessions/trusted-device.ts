import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { timestampMs } from '@bufbuild/protobuf/wkt'
import { Strength, strengthOf } from '@gatehouse/identity'
import { keyThatFits } from '@gatehouse/rpc'
import { readFactorVersion } from '../../store/factors.ts'
import { thePerson } from '../audit/actor.ts'
import { audit } from '../audit/audit.ts'
import type { Db, Deps } from '../deps.ts'
import type { WholePolicy } from '../policies/policy-of.ts'

/** A browser keeps the token for as long as any policy may say; whether it is still good is judged at the sign-in. */
export const longestTrustSeconds = 30 * 86_400

/** So many people of one browser have it trusted. */
const most = 4
const pattern = /^ght_[A-Za-z0-9_-]{72}$/
const idBytes = 18
const timeBytes = 4
const daySeconds = 86_400
/** The clock of another replica may be ahead by this much. */
const clockLeewaySeconds = 60

/** Who trusts, and what of them must not have changed since: the password, the factors, and that nobody ended all of their sessions. */
export interface Truster {
  readonly tenant: string
  readonly userId: string
  readonly credentialVersion: number
  readonly factorVersion: number
  readonly epoch: number
}

/** A device on which a second factor was shown, and when. */
export interface TrustedDevice {
  readonly id: string
  readonly seconds: number
}

/** What a policy says of trust. */
type TrustRules = Pick<WholePolicy, 'trustedDeviceDays' | 'trustSinceTime'>

type TrustDeps = Pick<Deps, 'challengeKeys' | 'now'>

/**
 * The device, where one of the presented tokens is the person's own and not older than the policy says now. A token is stored nowhere: it is an HMAC over whom it
 * is for and what it rests on, and ends with any of it.
 */
export function trustedDevice(deps: TrustDeps, truster: Truster, presented: string, policy: TrustRules): TrustedDevice | undefined {
  const { trustedDeviceDays: days } = policy
  for (const token of days > 0 ? tokensOf(presented) : []) {
    const device = ownDevice(deps, truster, token)
    const age = Math.floor(deps.now() / 1000) - (device?.seconds ?? 0)
    if (device && age >= -clockLeewaySeconds && age < days * daySeconds && standsSince(policy, device.seconds * 1000)) return device
  }
  return undefined
}

/** Whether trust of that moment is still what the tenant allows: whoever set the days to 0 ended all there was, also where they are something else by now. */
export function standsSince({ trustedDeviceDays, trustSinceTime }: TrustRules, time: number): boolean {
  return trustedDeviceDays > 0 && (trustSinceTime === undefined || time > timestampMs(trustSinceTime))
}

/** Makes the token of a device that is trusted from now on, before those of others who use it. */
export function trustToken(deps: TrustDeps, truster: Truster, presented: string): { token: string; device: TrustedDevice } {
  const device = { id: randomBytes(idBytes).toString('hex'), seconds: Math.floor(deps.now() / 1000) }
  const time = Buffer.alloc(timeBytes)
  time.writeUInt32BE(device.seconds)
  const own = `ght_${Buffer.concat([Buffer.from(device.id, 'hex'), time, proofOf(deps.challengeKeys.current, truster, device)]).toString('base64url')}`
  const others = tokensOf(presented).filter((other) => ownDevice(deps, truster, other) === undefined)
  return { token: [own, ...others].slice(0, most).join('.'), device }
}

/** Whether this sign-in may end with a device that is trusted: the next password alone is to be worth no more than what was shown now. */
export function mayTrust(policy: WholePolicy, methods: readonly string[]): boolean {
  return policy.trustedDeviceDays > 0 && methods.includes('pwd') && strengthOf(methods) >= Strength.TWO_FACTORS
}

/** Trusts the device within the transaction that opens the session there; answers what it is to keep. */
export async function trustDevice(
  tx: Db,
  deps: TrustDeps,
  who: Omit<Truster, 'factorVersion'> & { sessionId: string; presented: string; days: number },
): Promise<string> {
  const { tenant, userId, epoch, credentialVersion, sessionId } = who
  const truster = { tenant, userId, epoch, credentialVersion, factorVersion: await readFactorVersion(tx, who) }
  const { token, device } = trustToken(deps, truster, who.presented)
  const details = { device: device.id, days: String(who.days) }
  await audit(tx, { tenant, kind: 'device_trust', actor: thePerson(userId), subjectId: userId, sessionId, details })
  return token
}

/** What the token says, where it was made for this person as they are now. */
function ownDevice(deps: TrustDeps, truster: Truster, token: string): TrustedDevice | undefined {
  const bytes = Buffer.from(token.slice(4), 'base64url')
  const device = { id: bytes.toString('hex', 0, idBytes), seconds: bytes.readUInt32BE(idBytes) }
  const fits = (key: Uint8Array) => timingSafeEqual(bytes.subarray(idBytes + timeBytes), proofOf(key, truster, device))
  return keyThatFits(deps.challengeKeys, fits) && device
}

function tokensOf(presented: string): readonly string[] {
  return presented === ''
    ? []
    : presented
        .split('.')
        .slice(0, most)
        .filter((token) => pattern.test(token))
}

function proofOf(key: Uint8Array, truster: Truster, { id, seconds }: TrustedDevice): Buffer {
  const { tenant, userId, credentialVersion, factorVersion, epoch } = truster
  const rests = [credentialVersion, factorVersion, epoch, seconds].map(String)
  return createHmac('sha256', key)
    .update(['trusted device', tenant, userId, id, ...rests].join('\0'))
    .digest()
}
