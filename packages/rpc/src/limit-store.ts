/** One counter that a call is counted against. */
export interface LimitCharge {
  /** Names the counter; the store hashes it. */
  readonly key: string
  /** Empty for counters across tenants. */
  readonly tenant: string
  /** How many calls pass in one window. */
  readonly count: number
  readonly windowSeconds: number
}

/** `index` is that of the first exhausted charge. */
export type LimitAnswer =
  | { readonly allowed: true }
  | {
      readonly allowed: false
      readonly retryAfterSeconds: number
      readonly index: number
    }

/** Counters that are exact across replicas and parallel bursts. */
export interface LimitStore {
  take(charges: LimitCharge[]): Promise<LimitAnswer>
}
