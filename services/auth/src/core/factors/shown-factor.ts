import type { FactorProof } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import type { Db, Deps } from '../deps.ts'
import { showRecoveryCode } from './recovery-codes.ts'
import { showPasskey } from './show-passkey.ts'
import { showPassword } from './show-password.ts'
import { showTotp } from './totp.ts'
import { countWrongCode } from './wrong-codes.ts'

/** Whose factor is to be checked, and what it answers. */
export interface FactorCheck {
  readonly tenant: string
  readonly userId: string
  /** What a passkey has to have signed; null where none was asked for. */
  readonly passkeyChallenge: Uint8Array | null
  readonly signal?: AbortSignal
}

/** A factor that is right, as far as can be told without a transaction. */
export interface ShownFactor {
  /** What it adds to the methods of the sign-in (RFC 8176). */
  readonly methods: readonly string[]
  /** Forgets the wrong ones before it, where they are counted: beside whatever else is asked before the transaction, so that nobody waits for it. */
  forgetWrong?(): Promise<void>
  /** Uses it up within the transaction that makes something of it; `false` where it was used, or changed, meanwhile. */
  use(tx: Db): Promise<boolean>
}

/** Checks what somebody shows; undefined where it is wrong. */
export async function checkFactor(
  deps: Deps,
  check: FactorCheck,
  { case: kind, value }: FactorProof['proof'],
): Promise<ShownFactor | undefined> {
  switch (kind) {
    case 'password':
      return await showPassword(deps, check, value)
    case 'totpCode':
      return (await showTotp(deps, check, value)) ?? (await countWrongCode(deps, check))
    case 'recoveryCode':
      return (await showRecoveryCode(deps, check, value)) ?? (await countWrongCode(deps, check))
    case 'passkeyJson':
      return await showPasskey(deps, check, value)
    default:
      return undefined
  }
}
