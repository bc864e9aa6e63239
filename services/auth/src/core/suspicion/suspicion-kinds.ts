import { SuspicionKind } from '@gatehouse/contracts/gatehouse/auth/v1/suspicion_pb'

/** What looks as if somebody else were at work, as the store, the metrics and the audit log name it. */
export const suspicionKinds = {
  new_device: SuspicionKind.NEW_DEVICE,
  new_network: SuspicionKind.NEW_NETWORK,
  impossible_rate: SuspicionKind.IMPOSSIBLE_RATE,
  password_guessed: SuspicionKind.PASSWORD_GUESSED,
  refresh_token_reused: SuspicionKind.REFRESH_TOKEN_REUSED,
  many_accounts: SuspicionKind.MANY_ACCOUNTS,
  suspended_account_tried: SuspicionKind.SUSPENDED_ACCOUNT_TRIED,
  passkey_cloned: SuspicionKind.PASSKEY_CLONED,
  second_factor_guessed: SuspicionKind.SECOND_FACTOR_GUESSED,
} as const

export type SuspicionName = keyof typeof suspicionKinds

export const suspicionNames = Object.keys(suspicionKinds) as SuspicionName[]

/** One that a newer release wrote is none that we could name. */
export function kindNamed(name: string): SuspicionKind {
  return suspicionNames.includes(name as SuspicionName) ? suspicionKinds[name as SuspicionName] : SuspicionKind.UNSPECIFIED
}

const hour = 3600
const day = 24 * hour

/** What is told as one, and how long the same of one person or source is not told again. */
const tellings = {
  new_place: hour,
  refresh_token_reused: hour,
  many_accounts: hour,
  suspended_account_tried: hour,
  // What strangers can bring about: a mail a day is the most that they can have us send.
  password_guessed: day,
  impossible_rate: day,
  passkey_cloned: day,
  second_factor_guessed: day,
} as const

export type Telling = keyof typeof tellings

export function tellingOf(name: SuspicionName): Telling {
  return name === 'new_device' || name === 'new_network' ? 'new_place' : name
}

export function quietSecondsOf(telling: Telling): number {
  return tellings[telling]
}

/** So many sessions of a person are opened within a minute, and then one more: no person does that, and few programs. */
export const sessionsOfMinute = 20

/** So many wrong passwords in a row: past ten each waits longer, so that it is an hour and a half of trying at the least. */
export const wrongPasswordsInRow = 25

/** So many wrong codes of a second factor in a row: two sign-ins with every attempt of theirs used up, and half of what stops an app for a quarter of an hour. */
export const wrongCodesInRow = 10

/** A source that failed at so many accounts, and got into none of them, tries what it does not know. */
export const accountsOfSource = 20
