import { metrics } from '@opentelemetry/api'
import { upgradeHash } from '../../store/credentials.ts'
import type { Deps } from '../deps.ts'
import { enforceOpaqueString } from './opaque-string.ts'

export interface UpgradeInput {
  readonly tenant: string
  readonly userId: string
  readonly credentialVersion: number
  /** The hash that the password was right for. */
  readonly checkedHash: string
  readonly password: string
}

/**
 * Hashes a right password anew where its hash is of another algorithm or cheaper than those made now. Whoever signs in is not kept from it when there is no
 * room for a hash, or when somebody else did it or changed the password meanwhile: the next sign-in finds what is left to do.
 */
export async function upgradePassword(deps: Pick<Deps, 'db' | 'hashing' | 'log'>, input: UpgradeInput): Promise<void> {
  const { tenant, userId, credentialVersion: checkedVersion, checkedHash } = input
  const enforced = enforceOpaqueString(input.password)
  if (!deps.hashing.isOutdated(checkedHash) || enforced === undefined) return
  try {
    const passwordHash = await deps.hashing.hash(enforced)
    const isUpgraded = await upgradeHash(deps.db, { tenant, userId, checkedVersion, checkedHash, passwordHash })
    upgrades().add(1, { result: isUpgraded ? 'done' : 'overtaken' })
  } catch (error) {
    upgrades().add(1, { result: 'put off' })
    deps.log.debug(
      { tenant, person: userId, problem: error instanceof Error ? error.message : String(error) },
      'a password keeps its old hash for now',
    )
  }
}

// Made when it is first used: until telemetry has started, a counter counts nothing.
function upgrades() {
  return metrics.getMeter('gatehouse.auth').createCounter('gatehouse.passwords.upgrades', {
    description: 'Hashes that were to be made anew at a sign-in, by what came of it',
  })
}
