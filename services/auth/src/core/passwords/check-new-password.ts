import type { Refusal } from '@gatehouse/rpc'
import { ErrorReason, refuse } from '../refuse.ts'
import { guessWork, squeeze } from './guessable.ts'
import { enforceOpaqueString } from './opaque-string.ts'

/** NIST SP 800-63B-4, 3.1.1.1, for a password that may be the only factor; a tenant's policy says more, or less beside a second factor. */
const minCodePoints = 15
const maxCodePoints = 256
/** With no more than this many units beyond what everybody tries first, a password is common. */
const commonWork = 2
/** What has to stand beside the words that everybody knows about the person. */
const contextWork = 4
const product = 'gatehouse'

/** What everybody knows about the person. */
export interface PasswordContext {
  readonly email: string
  readonly name: string
}

/** Refuses a password that is too weak to be chosen; answers the form that is hashed. `least` is its length by the tenant's policy. */
export function checkNewPassword(password: string, context: PasswordContext, field?: string, least = minCodePoints): string {
  const enforced = checkPasswordForm(password, field, least)
  const { work, usesContext } = guessWork(enforced, contextWords(context), contextWork)
  if (usesContext && work <= contextWork) throw tooWeak('context', field)
  if (work <= commonWork) throw tooWeak('common', field)
  return enforced
}

/** Refuses a password that nobody may have, before it is known whose it is to be. */
export function checkPasswordForm(password: string, field?: string, least = minCodePoints): string {
  const enforced = enforceOpaqueString(password)
  // An empty password, refused by the profile too, is first of all too short.
  const length = [...(enforced ?? password)].length
  if (length < least || length > maxCodePoints) throw tooWeak('length', field)
  if (enforced === undefined) throw tooWeak('characters', field)
  return enforced
}

/** `field` is the field that has the password, where the contract calls it otherwise than `password`. */
export function tooWeak(rule: string, field: string | undefined): Refusal {
  return refuse(ErrorReason.PASSWORD_TOO_WEAK, { rule }, field === undefined ? {} : { field })
}

/** The name, the address and the product, whole and in their parts; parts of two letters are in every sentence. */
function contextWords(context: PasswordContext): ReadonlySet<string> {
  const at = context.email.lastIndexOf('@')
  const local = context.email.slice(0, at)
  const domain = context.email.slice(at + 1)
  const sources = [product, context.name, local, domain, context.email]
  const parts = [context.name, local, domain].flatMap((source) => source.split(/[^\p{L}\p{M}\p{N}]+/u))
  const words = [...sources, ...parts].map((word) => squeeze(word))
  return new Set(words.filter((word) => [...word].length >= 3))
}
