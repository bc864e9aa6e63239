import { Buffer } from 'node:buffer'

/** One environment variable: how its text becomes a value, and what stands in when it is missing. */
export interface Variable<T> {
  /** Turns the text into the value; throws an `Error` whose message completes the sentence "NAME …". */
  readonly parse: (text: string) => T
  /** What a missing variable stands for, as a value. `undefined` in the object makes it required; see {@link optional}. */
  readonly fallback: { readonly value: T } | undefined
  /** What it is for: one line, shown where the variable is missing. */
  readonly about: string
  /** Secrets are never printed, and weak or known ones are refused in production. */
  readonly secret: boolean
  /** Whether every service of a house has to have the same; see {@link sameEverywhere}. */
  readonly same?: boolean
}

interface Options<T> {
  about: string
  default?: T
}

function variable<T>(parse: (text: string) => T, { about, default: value }: Options<T>, secret = false): Variable<T> {
  return { parse, fallback: value === undefined ? undefined : { value }, about, secret }
}

function check(holds: boolean, message: string): void {
  if (!holds) throw new Error(message)
}

/** Any text. */
export function text(options: Options<string>): Variable<string> {
  return variable((raw) => raw, options)
}

/** A secret: at least 16 characters, or at least `bytes` bytes in base64 where `bytes` is given. The value is the text as it came. */
export function secret(options: { about: string; bytes?: number }): Variable<string> {
  return variable(
    (raw) => {
      if (options.bytes === undefined) check(raw.length >= 16, 'has to have 16 characters or more')
      else {
        check(/^[A-Za-z0-9+/_-]+={0,2}$/.test(raw), 'has to be base64')
        check(Buffer.from(raw, 'base64').length >= options.bytes, `has to be ${options.bytes} bytes or more, in base64`)
      }
      return raw
    },
    { about: options.about },
    true,
  )
}

/** A whole number between `min` and `max`. */
export function integer(options: Options<number> & { min: number; max: number }): Variable<number> {
  return variable((raw) => {
    const value = Number(raw)
    check(
      /^-?\d+$/.test(raw) && value >= options.min && value <= options.max,
      `has to be a whole number from ${options.min} to ${options.max}`,
    )
    return value
  }, options)
}

/** A share of something, from 0 to 1. */
export function ratio(options: Options<number>): Variable<number> {
  return variable((raw) => {
    const value = Number(raw)
    check(/^\d*\.?\d+$/.test(raw) && value <= 1, 'has to be a number from 0 to 1')
    return value
  }, options)
}

/** A TCP port; 0 takes a free one. */
export function port(options: Options<number>): Variable<number> {
  return integer({ ...options, min: 0, max: 65535 })
}

/** `true`, `1`, `yes` or `false`, `0`, `no`. */
export function flag(options: Options<boolean>): Variable<boolean> {
  return variable((raw) => {
    check(/^(true|1|yes|false|0|no)$/i.test(raw), 'has to be true or false')
    return /^(true|1|yes)$/i.test(raw)
  }, options)
}

/** One of some words. */
export function oneOf<const T extends string>(words: readonly T[], options: Options<T>): Variable<T> {
  return variable((raw) => {
    const word = words.find((each) => each === raw)
    if (word === undefined) throw new Error(`has to be one of ${words.join(', ')}`)
    return word
  }, options)
}

/** Texts separated by commas; white space around them does not count. */
export function list(options: Options<readonly string[]>): Variable<readonly string[]> {
  return variable(
    (raw) =>
      raw
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    options,
  )
}

/** A URL with one of the protocols (written with the colon). With `secret`, because it carries a password; with `several`, or more of them separated by commas. */
export function url(options: Options<string> & { protocols: readonly string[]; secret?: boolean; several?: boolean }): Variable<string> {
  return variable(
    (raw) => {
      for (const each of options.several ? raw.split(',') : [raw]) {
        const protocol = URL.canParse(each) ? new URL(each).protocol : undefined
        check(
          protocol !== undefined && options.protocols.includes(protocol),
          `has to be a URL that starts with ${options.protocols.join(' or ')}//`,
        )
      }
      return raw
    },
    options,
    options.secret ?? false,
  )
}

/** A web origin without a trailing slash: `https://id.example.com`. */
export function origin(options: Options<string>): Variable<string> {
  return variable((raw) => {
    check(
      URL.canParse(raw) && new URL(raw).origin === raw && /^https?:/.test(raw),
      'has to be an origin such as https://id.example.com, with nothing behind it',
    )
    return raw
  }, options)
}

/** A length of time with its unit, `250ms`, `5s`, `10m`, `12h` or `30d`; the value is in milliseconds. */
export function duration(options: Options<number>): Variable<number> {
  const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
  return variable((raw) => {
    const match = /^(\d+)(ms|s|m|h|d)$/.exec(raw)
    if (!match) throw new Error('has to be a length of time such as 250ms, 5s, 10m, 12h or 30d')
    return Number(match[1]) * units[match[2] as keyof typeof units]
  }, options)
}

/** The same variable, but it may be missing: its value is then `undefined`. */
export function optional<T>(of: Variable<T>): Variable<T | undefined> {
  return { parse: of.parse, about: of.about, secret: of.secret, fallback: { value: undefined } }
}

/** The same variable, of which the services of one house may not think differently: whoever checks a house compares them. */
export function sameEverywhere<T>(of: Variable<T>): Variable<T> {
  return { ...of, same: true }
}
