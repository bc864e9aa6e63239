import type { Deps } from '../deps.ts'
import { checkNewPassword, type PasswordContext, tooWeak } from './check-new-password.ts'

export interface NewPassword {
  readonly password: string
  readonly context: PasswordContext
  /** The field that has the password, where the contract calls it otherwise than `password`. */
  readonly field?: string
  /** Its length by the tenant's policy. */
  readonly least: number
  readonly signal?: AbortSignal | undefined
}

/** Refuses a password that nobody should choose, or that is known from a breach; answers its hash. */
export async function hashNewPassword(deps: Pick<Deps, 'hashing' | 'breaches'>, input: NewPassword): Promise<string> {
  const password = checkNewPassword(input.password, input.context, input.field, input.least)
  if (await deps.breaches.knows(password)) throw tooWeak('breached', input.field)
  return await deps.hashing.hash(password, input.signal)
}
