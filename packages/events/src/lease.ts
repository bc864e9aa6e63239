import { transact } from '@gatehouse/postgres'
import { type Kysely, type RawBuilder, sql } from 'kysely'

/** The row of a lease: `table` has name, holder, epoch and expire_time. */
export type LeaseRow = { readonly table: string; readonly name: string }

const ofRelay: LeaseRow = { table: 'relay_lease', name: 'relay' }

/**
 * The lease of a service's relay, or of another work that one process does at a time: at any moment one process holds it. The epoch rises with every
 * holder and stands in every statement of the work, so a holder that was frozen while another took over changes nothing any more.
 */
export class Lease<DB> {
  readonly #db: Kysely<DB>
  readonly #holder: string
  readonly #leaseMs: number
  readonly #table: RawBuilder<unknown>
  readonly #name: string
  #epoch: bigint | undefined
  #heldUntil = 0

  constructor(db: Kysely<DB>, holder: string, leaseMs: number, { table, name }: LeaseRow = ofRelay) {
    this.#table = sql.table(table)
    this.#name = name
    this.#db = db
    this.#holder = holder
    this.#leaseMs = leaseMs
  }

  /** The epoch while this process may believe that it holds the lease, else undefined. */
  get epoch(): bigint | undefined {
    return performance.now() < this.#heldUntil ? this.#epoch : undefined
  }

  /** Takes the lease if it is free, or keeps it. */
  async takeOrKeep(): Promise<bigint | undefined> {
    // Counted from before the statement: our belief ends before the database's.
    const asked = performance.now()
    const kept = this.#epoch === undefined ? undefined : await this.#keep(this.#epoch)
    this.#epoch = kept ?? (await this.#take())
    this.#heldUntil = this.#epoch === undefined ? 0 : asked + this.#leaseMs
    return this.epoch
  }

  /** Forgets the lease here: the next takeOrKeep() asks the database. */
  doubt(): void {
    this.#heldUntil = 0
  }

  /** Lets the next one in without a wait. */
  async release(): Promise<void> {
    const epoch = this.#epoch
    this.#epoch = undefined
    this.#heldUntil = 0
    if (epoch === undefined) return
    await transact(this.#db, (tx) =>
      sql`update ${this.#table} set expire_time = now() where name = ${this.#name} and epoch = ${epoch}`.execute(tx),
    )
  }

  async #take(): Promise<bigint | undefined> {
    const { rows } = await sql<{ epoch: bigint }>`update ${this.#table}
      set holder = ${this.#holder}, epoch = epoch + 1, expire_time = now() + make_interval(secs => ${this.#leaseMs / 1000}::double precision)
      where name = ${this.#name} and expire_time <= now() returning epoch`.execute(this.#db)
    return rows[0]?.epoch
  }

  async #keep(epoch: bigint): Promise<bigint | undefined> {
    const { rows } = await sql<{ epoch: bigint }>`update ${this.#table}
      set expire_time = now() + make_interval(secs => ${this.#leaseMs / 1000}::double precision)
      where name = ${this.#name} and epoch = ${epoch} returning epoch`.execute(this.#db)
    return rows[0]?.epoch
  }
}
