import { ErrorReason as CommonReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { transact } from '@gatehouse/postgres'
import { commonRefusal } from '@gatehouse/rpc'
import type { Deps } from '../deps.ts'
import { wrongCodesInRow } from '../suspicion/suspicion-kinds.ts'
import { tellSuspicion } from '../suspicion/tell-suspicion.ts'

interface Person {
  readonly tenant: string
  readonly userId: string
}

/** Wrong codes of a person's app, over all sign-ins under way; recovery codes and passkeys stay open to the owner. */
const guesses = { count: 20, windowSeconds: 900 }

/** So many wrong codes in a row are not told, of app and recovery codes together. The window is long: whoever guesses slowly is somebody who guesses. */
const mistakes = { count: wrongCodesInRow - 1, windowSeconds: 30 * 86_400 }

/** One key for both windows: a right code forgets them in one statement. */
const keyOf = ({ userId }: Person) => `authenticator code ${userId}`

/** Counts a code of the app before it is looked at, so that many at once get none more. */
export async function takeGuess(deps: Pick<Deps, 'limits'>, person: Person): Promise<void> {
  const taken = await deps.limits.take([{ key: keyOf(person), tenant: person.tenant, ...guesses }])
  if (!taken.allowed) throw commonRefusal(CommonReason.LIMIT_EXCEEDED, {}, { retryAfterSeconds: taken.retryAfterSeconds })
}

/**
 * Counts a code that is wrong. Past a person's mistakes somebody guesses who has shown the password, or has the mailbox or a session: told once a day, before the code is refused, in a
 * transaction of its own. What cannot be told is told with the next wrong code: an exhausted window stays so.
 */
export async function countWrongCode(deps: Pick<Deps, 'db' | 'limits' | 'now' | 'committed'>, person: Person): Promise<undefined> {
  const { tenant, userId } = person
  if ((await deps.limits.take([{ key: keyOf(person), tenant, ...mistakes }])).allowed) return
  const told = { tenant, userId, kinds: ['second_factor_guessed'], mail: true } as const
  if (await transact(deps.db, (tx) => tellSuspicion(tx, deps, told))) deps.committed()
}

/** Whoever has the code mistyped the ones before. */
export async function forgetWrongCodes(deps: Pick<Deps, 'limits'>, person: Person): Promise<void> {
  await deps.limits.reset(keyOf(person), person.tenant)
}
