import { type RawBuilder, sql } from 'kysely'
import type { Executor } from './connect.ts'

/** A limit of the calls that are counted together: how many pass, in which window. */
export type Limit = { readonly count: number; readonly windowSeconds: number }

/** A counter of one call, as the table knows it. */
export type Counter = { readonly tenant: string; readonly key: string }

/** For each call how many of its limits let it pass, and for each limit the seconds until its next window. */
export type Counted = { readonly passed: readonly number[]; readonly seconds: readonly number[] }

/**
 * Counts calls that have the same limits, in the order in which they came, in one statement. One step for each limit, fed by those whom the step
 * before let pass: an upsert that adds all calls of a counter at once, and changes nothing and returns nothing when the window is full. Its row lock makes
 * it exact. A statement that waited may carry a window that is over: then the row's own one counts.
 *
 * A counter may stand in one step only: Postgres changes a row once in a statement.
 */
export async function countCalls(db: Executor, limits: readonly Limit[], calls: readonly (readonly Counter[])[]): Promise<Counted> {
  const { rows } = await statement(limits, calls).execute(db)
  const { seconds = [], ...steps } = rows[0] ?? {}
  const passed = calls.map(() => 0)
  for (const depth of limits.keys()) {
    for (const number of steps[`step_${depth}`] ?? []) passed[number - 1] = depth + 1
  }
  return { passed, seconds }
}

type Answer = { readonly [step: `step_${number}`]: readonly number[] } & { readonly seconds?: readonly number[] }

// The text depends on the number of limits alone, so that servers keep it prepared.
function statement(limits: readonly Limit[], calls: readonly (readonly Counter[])[]): RawBuilder<Answer> {
  const columns = sql.raw([...limits.map((_, depth) => `tenant_${depth}, key_${depth}`), 'number'].join(', '))
  const arrays = limits.map((_, depth) => {
    const counters = calls.map((call) => call[depth])
    return sql`${counters.map((counter) => counter?.tenant)}::text[], ${counters.map((counter) => counter?.key)}::text[]`
  })
  const passing = limits.map((_, depth) => sql`array(select number::integer from ${named('passed', depth)}) as ${named('step', depth)}`)
  const lengths = sql.join(limits.map(({ windowSeconds }) => sql`${windowSeconds}::integer`))
  return sql`with called as (select * from unnest(${sql.join(arrays)}) with ordinality as call(${columns})),
    ${sql.join(limits.map((limit, depth) => step(limit, depth, columns)))}
    select ${sql.join(passing)},
      array(select (length - extract(epoch from now())::numeric % length)::double precision from unnest(array[${lengths}]) as length) as seconds`
}

function step({ count, windowSeconds }: Limit, depth: number, columns: RawBuilder<unknown>): RawBuilder<unknown> {
  const called = depth === 0 ? sql`called` : named('passed', depth - 1)
  const [tenant, key] = [named('tenant', depth), named('key', depth)]
  const start = sql`floor(extract(epoch from now()) / ${windowSeconds}::integer)::bigint * ${windowSeconds}::integer`
  return sql`${named('counted', depth)} as (
      insert into rate_limits as held (tenant, key, window_seconds, window_start, taken, expire_time)
      select ${tenant}, ${key}, ${windowSeconds}::integer, ${start}, count(*), to_timestamp(${start} + ${windowSeconds}::integer)
      from ${called} where ${count}::bigint > 0 group by ${tenant}, ${key} order by ${tenant}, ${key}
      on conflict (tenant, key, window_seconds) do update set
        taken = case when held.window_start >= excluded.window_start then held.taken + excluded.taken else excluded.taken end,
        window_start = greatest(held.window_start, excluded.window_start),
        expire_time = greatest(held.expire_time, excluded.expire_time)
      where held.window_start < excluded.window_start or held.taken < ${count}::bigint
      returning tenant, key, taken),
    ${named('passed', depth)} as (
      select ${columns} from (
        select called.*, row_number() over same as place, count(*) over (partition by ${tenant}, ${key}) as arrived from ${called} as called
        window same as (partition by ${tenant}, ${key} order by number)) as in_line
      join ${named('counted', depth)} as counter on counter.tenant = ${tenant} and counter.key = ${key}
      where counter.taken - arrived + place <= ${count}::bigint)`
}

const named = (what: string, depth: number): RawBuilder<unknown> => sql.raw(`${what}_${depth}`)
