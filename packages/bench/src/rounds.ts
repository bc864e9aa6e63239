import type { Effort } from './benchmark.ts'

/** Lets the sides take turns, in one order and then the other, after each had its warm-up; answers each side's results, round by round. */
export async function alternate<Side extends string, Result>(
  effort: Pick<Effort, 'rounds' | 'seconds' | 'warmUpSeconds'>,
  sides: Readonly<Record<Side, (seconds: number) => Promise<Result>>>,
): Promise<Record<Side, Result[]>> {
  const names = Object.keys(sides) as Side[]
  const results = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Side, Result[]>
  for (const name of names) await sides[name](effort.warmUpSeconds)
  for (let round = 0; round < effort.rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) results[name].push(await sides[name](effort.seconds))
  }
  return results
}
