import { scatter, seriesOf } from './crowd.ts'

/** How often who is asked for. */
export type Distribution = 'uniform' | 'Zipf'

const theta = 0.99

/** Draws `count` of `people` numbers, the same in every run. */
export function draw(distribution: Distribution, people: number, count: number): readonly number[] {
  const random = seriesOf(`${distribution} ${people}`)
  const pick = distribution === 'uniform' ? (share: number) => Math.floor(share * people) : zipf(people)
  return Array.from({ length: count }, (_, place) => pick(random(place)))
}

/**
 * Zipf's law with exponent 0.99 after Gray and others, "Quickly Generating Billion-Record Synthetic Databases" (SIGMOD 1994), as YCSB draws. Ranks are
 * scattered over the numbers: who is popular is not who came first.
 */
function zipf(people: number): (share: number) => number {
  const zeta = (upTo: number): number => {
    let sum = 0
    for (let rank = 1; rank <= upTo; rank++) sum += rank ** -theta
    return sum
  }
  const all = zeta(people)
  const alpha = 1 / (1 - theta)
  const eta = (1 - (2 / people) ** (1 - theta)) / (1 - zeta(2) / all)
  const rankOf = (share: number): number => {
    const weight = share * all
    if (weight < 1) return 0
    if (weight < 1 + 0.5 ** theta) return 1
    return Math.min(people - 1, Math.floor(people * (eta * share - eta + 1) ** alpha))
  }
  return (share) => scatter(rankOf(share)) % people
}
