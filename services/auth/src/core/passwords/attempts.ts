import { createHmac } from 'node:crypto'
import { ErrorReason as CommonReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { unbounded } from '@gatehouse/postgres'
import { commonRefusal, emailKey, Refusal, sourceNetwork } from '@gatehouse/rpc'
import {
  closeCounter,
  countAttempt,
  type FailureCounter,
  forgetFailures,
  forgetFailuresOf,
  forgiveHalf,
  noteFailedAccount,
  takeBack,
  waitOf,
} from '../../store/password-failures.ts'
import type { Db, Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { accountsOfSource } from '../suspicion/suspicion-kinds.ts'
import { tellGuesses, tellManyAccounts } from './tell-guesses.ts'

/** How often a password can be guessed (NIST SP 800-63B-4, 3.2.2: a hundred times in a row), and how fast. */
const week = 7 * 86_400
const account = { free: 10, capSeconds: 900, quietSeconds: week, most: 100 }
const device = { free: 10, capSeconds: 300, quietSeconds: week, most: 100 }
/** Many share a source: each right password forgives half of the wrong ones. */
const source = { free: 60, capSeconds: 60, quietSeconds: 900, most: 2_000_000_000 }

/** How long a counter about nobody has to be kept, so that it is as if there were somebody. */
export const failuresKeptSeconds = week

/** Who tries a password. */
export type Guesser =
  | {
      readonly tenant: string
      readonly email: string
      readonly source: string
      readonly userId: string | undefined
      readonly deviceId: string | undefined
    }
  | { readonly tenant: string; readonly signedIn: string }

/** One attempt under way. */
export interface Attempt {
  /** The password was right: nothing is held against whoever tried. Answers whether it came from where passwords of many accounts were wrong. */
  right(): Promise<{ readonly amongMany: boolean }>
}

const wrong: ReadonlySet<string> = new Set(['EMAIL_OR_PASSWORD_WRONG', 'PASSWORD_WRONG'])

/**
 * Lets somebody try a password if not too many were wrong. An attempt is counted before it is made; one that ends in anything but a wrong password (nobody
 * answered, nobody waited, there was no room) is taken back. A person on a device that they signed in from before is counted by the device alone, so
 * that no stranger can keep them out; strangers count by the address, known or not, and by the source. What nobody does by mistake is told.
 */
export async function counted<T>(
  deps: Pick<Deps, 'db' | 'now' | 'requestKeys'>,
  guesser: Guesser,
  act: (attempt: Attempt) => Promise<T>,
): Promise<T> {
  const counters = countersOf(deps.requestKeys.current, guesser)
  const now = new Date(deps.now())
  // By a key that is being replaced nothing is counted any more, and what it closed stays closed.
  for (const key of deps.requestKeys.accepted.slice(1)) {
    const before = countersOf(key, guesser).at(-1)
    if (before && (await waitOf(deps.db, before, now)) === 'closed') throw await notNow(deps.db, before, now)
  }
  const totals = await countAttempt(deps.db, counters, now)
  const refusing = counters[totals.length]
  if (refusing !== undefined) throw await notNow(deps.db, refusing, now)
  try {
    return await act({
      async right() {
        const others = await Promise.all(
          counters.map((each) =>
            isOfSource(each) ? forgiveHalf(deps.db, { ...each, account: bitOf(counters) }) : forgetFailures(deps.db, each),
          ),
        )
        return { amongMany: others.some((count) => typeof count === 'number' && count >= accountsOfSource) }
      },
    })
  } catch (error) {
    // The caller may have gone, and what it asked of Postgres with it.
    if (error instanceof Refusal && wrong.has(error.reason)) await unbounded(() => tellWrong(deps, guesser, counters, totals))
    else await unbounded(() => Promise.all(counters.map((each) => takeBack(deps.db, each)))).catch(() => {})
    throw error
  }
}

const isOfSource = ({ tenant }: FailureCounter): boolean => tenant === ''

/** Which account it was, among those that its source tried: the last counter is the account's. */
const bitOf = (counters: readonly FailureCounter[]): number => counters.at(-1)?.key[0] ?? 0

async function tellWrong(
  deps: Pick<Deps, 'db' | 'now'>,
  { tenant }: Guesser,
  counters: readonly FailureCounter[],
  totals: readonly number[],
): Promise<void> {
  const source = counters.find(isOfSource)
  const account = counters.at(-1)
  const accounts = source && (await noteFailedAccount(deps.db, { ...source, account: bitOf(counters) }))
  if (source && accounts !== undefined) await tellManyAccounts(deps, { tenant, source: source.key, accounts })
  if (account) await tellGuesses(deps, { tenant, userId: account.userId, address: account.key, total: totals.at(-1) ?? 0 })
}

/** There is another password now: what was counted was about the old one. */
export async function forgetGuesses(
  tx: Db,
  deps: Pick<Deps, 'requestKeys'>,
  person: { tenant: string; userId: string; email: string },
): Promise<void> {
  await forgetFailuresOf(tx, person)
  for (const key of deps.requestKeys.accepted)
    await forgetFailures(tx, { tenant: person.tenant, key: keyOf(key, 'account', emailKey(person.email)) })
}

/** The password of an address is taken from nobody any more, until there is another. */
export async function closePassword(
  tx: Db,
  deps: Pick<Deps, 'now' | 'requestKeys'>,
  { tenant, userId, email }: { tenant: string; userId: string; email: string },
): Promise<void> {
  // Under each key by which a replica may count.
  for (const key of deps.requestKeys.accepted)
    await closeCounter(tx, { ...account, tenant, userId, key: keyOf(key, 'account', emailKey(email)) }, new Date(deps.now()))
}

function countersOf(requestKey: Uint8Array, guesser: Guesser): readonly FailureCounter[] {
  const { tenant } = guesser
  if ('signedIn' in guesser)
    return [{ ...account, tenant, userId: guesser.signedIn, key: keyOf(requestKey, 'signed in', guesser.signedIn) }]
  const userId = guesser.userId ?? null
  if (guesser.deviceId !== undefined && userId !== null)
    return [{ ...device, tenant, userId, key: keyOf(requestKey, 'device', `${userId} ${guesser.deviceId}`) }]
  return [
    { ...source, tenant: '', userId: null, key: keyOf(requestKey, 'source', sourceNetwork(guesser.source)) },
    { ...account, tenant, userId, key: keyOf(requestKey, 'account', emailKey(guesser.email)) },
  ]
}

/** A dump of the table does not tell which addresses were tried. */
function keyOf(requestKey: Uint8Array, kind: string, value: string): Uint8Array {
  return createHmac('sha256', requestKey).update(`password failures\0${kind}\0${value}`).digest()
}

async function notNow(db: Db, counter: FailureCounter, now: Date): Promise<Refusal> {
  const wait = await waitOf(db, counter, now)
  if (wait === 'closed') return refuse(ErrorReason.PASSWORD_GUESSED_TOO_OFTEN)
  return commonRefusal(CommonReason.LIMIT_EXCEEDED, {}, { retryAfterSeconds: Math.max(1, Math.ceil(wait)) })
}
