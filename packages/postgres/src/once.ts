import { sql } from 'kysely'
import type { Executor } from './connect.ts'

export type Request = {
  readonly tenant: string
  /** Who calls, as a stable name: request ids of different callers never meet. */
  readonly caller: string
  /** Full name of the RPC. */
  readonly method: string
  /** What the caller chose; empty when the caller wants no such promise. */
  readonly requestId: string
  /** HMAC of the request without its secret fields. */
  readonly fingerprint: string
  /** Whether the fingerprint that is held is this request's too, under a key that is being replaced. */
  readonly alsoKnownAs?: ((held: string) => boolean) | undefined
  /** How long the id is kept. Default 30 days. */
  readonly keptSeconds?: number | undefined
}

/** The request id was used for another request, and is still kept. */
export class RequestIdReused extends Error {
  override readonly name = 'RequestIdReused'
}

/** How long request ids are kept where nobody says otherwise. */
export const requestsKeptSeconds = 30 * 86_400

/**
 * Runs `act` at most once for a request id, in the caller's transaction, and gives the id of what it made.
 * A duplicate that runs at the same time waits for the first one's commit and then answers with its result; if the first one
 * rolls back, the duplicate acts. Throws RequestIdReused when the fingerprint differs.
 */
export async function once(tx: Executor, request: Request, act: () => Promise<string>): Promise<{ id: string; repeated: boolean }> {
  if (!tx.isTransaction) throw new TypeError('once() keeps its promise only in a transaction')
  if (request.requestId === '') return { id: await act(), repeated: false }
  const { tenant, caller, method, requestId, fingerprint, alsoKnownAs, keptSeconds = requestsKeptSeconds } = request
  // A row whose time is over is as good as none, and taken over in place.
  const { rows: claimed } = await sql`insert into requests as held (tenant, caller, method, request_id, fingerprint)
    values (${tenant}, ${caller}, ${method}, ${requestId}, ${fingerprint})
    on conflict (tenant, caller, method, request_id) do update set fingerprint = excluded.fingerprint, result_id = null, create_time = now()
    where held.create_time < now() - make_interval(secs => ${keptSeconds}::double precision)
    returning 1`.execute(tx)
  if (claimed.length === 0) {
    const { rows } = await sql<{ fingerprint: string; result_id: string | null }>`select fingerprint, result_id from requests
      where tenant = ${tenant} and caller = ${caller} and method = ${method} and request_id = ${requestId} for update`.execute(tx)
    const held = rows[0]
    if (held !== undefined && held.fingerprint !== fingerprint && alsoKnownAs?.(held.fingerprint) !== true)
      throw new RequestIdReused(`request id ${requestId} was used for another ${method}`)
    if (held !== undefined && held.result_id !== null) return { id: held.result_id, repeated: true }
  }
  const id = await act()
  await sql`update requests set result_id = ${id}
    where tenant = ${tenant} and caller = ${caller} and method = ${method} and request_id = ${requestId}`.execute(tx)
  return { id, repeated: false }
}

/** Removes request ids whose time is over, the oldest first, at most `limit`; gives how many there were. */
export async function pruneRequests(
  db: Executor,
  { limit = 1000, keptSeconds = requestsKeptSeconds }: { readonly limit?: number; readonly keptSeconds?: number } = {},
): Promise<number> {
  const { numAffectedRows = 0n } = await sql`delete from requests where (tenant, caller, method, request_id) in (
    select tenant, caller, method, request_id from requests
    where create_time < now() - make_interval(secs => ${keptSeconds}::double precision)
    order by create_time limit ${limit}::integer for update skip locked)`.execute(db)
  return Number(numAffectedRows)
}
