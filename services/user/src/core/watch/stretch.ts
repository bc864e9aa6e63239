import type { LogEntry, LogPlace } from '@gatehouse/events'
import { findUsers, type UserRow } from '../../store/users.ts'
import type { Deps } from '../deps.ts'

/**
 * A piece of the log: who changed, and how they are. People are read when somebody of their tenant is told, once for all who are at that moment, and
 * always after the log was: nobody is told an older version than the log speaks of.
 */
export class Stretch {
  readonly end: LogPlace
  readonly size: number
  readonly #db: Deps['db']
  readonly #freshMs: number
  /** Of each tenant, where each person changed last. */
  readonly #changed = new Map<string, Map<string, bigint>>()
  readonly #people = new Map<string, Promise<readonly UserRow[]>>()

  /** @param freshMs For how long people who were read are told to others too. Then they are read again: nobody is told what was deleted meanwhile. */
  constructor(db: Deps['db'], entries: readonly [LogEntry, ...LogEntry[]], freshMs = 1000) {
    this.#db = db
    this.#freshMs = freshMs
    this.size = entries.length
    const { position, mark } = entries.at(-1) ?? entries[0]
    this.end = { position, mark }
    for (const entry of entries) {
      const ofTenant = this.#changed.get(entry.tenant) ?? new Map<string, bigint>()
      this.#changed.set(entry.tenant, ofTenant.set(entry.key, entry.position))
    }
  }

  /** Those of a tenant who changed after a position, in the order in which they last did. */
  async peopleOf(tenant: string, after: bigint): Promise<readonly UserRow[]> {
    const changed = this.#changed.get(tenant)
    if (changed === undefined) return []
    const people = await this.#read(tenant, changed)
    return people.filter(({ id }) => (changed.get(id) ?? 0n) > after)
  }

  #read(tenant: string, changed: ReadonlyMap<string, bigint>): Promise<readonly UserRow[]> {
    const held = this.#people.get(tenant)
    if (held) return held
    const order = (row: UserRow): bigint => changed.get(row.id) ?? 0n
    const keys = [...changed.keys()].map((id) => ({ tenant, id }))
    const people = findUsers(this.#db, keys).then((rows) => rows.toSorted((a, b) => (order(a) < order(b) ? -1 : 1)))
    this.#people.set(tenant, people)
    const drop = (): void => void this.#people.delete(tenant)
    // A failure is the end of those who met it, and the next ones ask again.
    people.then(() => setTimeout(drop, this.#freshMs).unref(), drop)
    return people
  }
}
