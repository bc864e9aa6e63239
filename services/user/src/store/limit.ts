/** How many rows can be asked for. They stand in the text of the statement: planned for any number, it would be planned for very many. */
export type Limit = (typeof limits)[number]
const limits = [21, 51, 101, 201, 501, 1001] as const

/** The least that holds a number of rows; RangeError for more than a page of the contract has. */
export function limitFor(rows: number): Limit {
  const least = limits.find((limit) => limit >= rows)
  if (least === undefined) throw new RangeError(`a page of ${rows} people`)
  return least
}
