/**
 * Keys of HMACs. What is made is made under `current`; what is presented is good under any of `accepted`, so that a key can be replaced while replicas
 * have the one or the other.
 */
export interface MacKeys {
  readonly current: Uint8Array
  /** The current one first: where it fits, nothing is computed twice. */
  readonly accepted: readonly Uint8Array[]
}

/** Of keys in base64, as they are configured. */
export function macKeys(current: string, previous?: string): MacKeys {
  const accepted = [current, ...(previous === undefined ? [] : [previous])].map((key) => Buffer.from(key, 'base64'))
  return { current: accepted[0] as Buffer, accepted }
}

/** The key under which something was made; undefined where it is none of ours. */
export function keyThatFits({ accepted }: MacKeys, fits: (key: Uint8Array) => boolean): Uint8Array | undefined {
  return accepted.find(fits)
}
