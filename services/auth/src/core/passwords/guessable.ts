import { isCommonPassword } from './common-passwords.ts'

/** Runs that fingers or minds make by themselves; three in a row, in either direction, count as nothing. */
const runs = [
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890',
  'qwertyuiop',
  'qwertzuiop',
  'azertyuiop',
  'asdfghjkl',
  'zxcvbnm',
  'yxcvbnm',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik',
  'qazwsxedcrfvtgbyhnujm',
  '1q2w3e4r5t6y7u8i9o0p',
  'q1w2e3r4t5y6u7i8o9p0',
].flatMap((run) => [run, [...run].reverse().join('')])

const leet: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '8': 'b',
  '@': 'a',
  $: 's',
  '!': 'i',
  '€': 'e',
}

const longestWord = 40

/** One place of a password: as it stands, and as leet would read it. A separator that leet could read is empty as it stands. */
interface Place {
  readonly plain: string
  readonly read: string
}

/** What a chain of pieces costs to guess. */
interface Reading {
  readonly work: number
  readonly usesContext: boolean
}

/**
 * How much a password holds that is not guessed at once, in units of a character or a common password: common passwords count one,
 * characters one, and runs, repeats, years and the words of the context nothing. Letter case, accents, leet and two kinds of separators
 * change nothing; every further kind counts one.
 * Above `enough` the rest is not read.
 */
export function guessWork(password: string, context: ReadonlySet<string>, enough: number): Reading {
  const places = withoutPeriod(placesOf(password))
  const best: Reading[] = [{ work: separatorWork(password), usesContext: false }]
  for (let end = 1; end <= places.length; end += 1) {
    best.push(cheapestTo(end, places, best, context))
    // Every chain to the end stops once in this window, so none can become cheaper than the cheapest there.
    const window = best.slice(-longestWord)
    const floor = window.reduce((least, reading) => (reading.work < least.work ? reading : least))
    if (floor.work > enough) return floor
  }
  return best[places.length] ?? nothing
}

function cheapestTo(end: number, places: readonly Place[], best: readonly Reading[], context: ReadonlySet<string>): Reading {
  let winner: Reading = { work: Number.POSITIVE_INFINITY, usesContext: false }
  let plain = ''
  let read = ''
  for (let start = end - 1; start >= Math.max(0, end - longestWord); start -= 1) {
    plain = (places[start]?.plain ?? '') + plain
    read = (places[start]?.read ?? '') + read
    const before = best[start] ?? nothing
    if (before.work >= winner.work) continue
    const price = priceOf(plain, read, end - start, context)
    if (price === undefined || before.work + price.work >= winner.work) continue
    winner = { work: before.work + price.work, usesContext: before.usesContext || price.usesContext }
  }
  return winner
}

/** Letters and digits in lower case, without accents and separators. */
export function squeeze(text: string): string {
  return [...text.normalize('NFKD').toLowerCase()].filter((point) => /[\p{L}\p{N}]/u.test(point)).join('')
}

function separatorWork(password: string): number {
  const separators = new Set([...password].filter((point) => !/[\p{L}\p{M}\p{N}]/u.test(point) && !(point in leet)))
  return Math.max(0, separators.size - 2)
}

function placesOf(password: string): Place[] {
  return [...password.normalize('NFKD').toLowerCase()].flatMap((point) => {
    const plain = /[\p{L}\p{N}]/u.test(point) ? point : ''
    const read = leet[point] ?? plain
    return read === '' ? [] : [{ plain, read }]
  })
}

function priceOf(plain: string, read: string, places: number, context: ReadonlySet<string>): Reading | undefined {
  if (context.has(plain) || context.has(read)) return { work: 0, usesContext: true }
  if (plain === '' || isRun(plain) || /^(19|20)\d\d$/.test(plain)) return nothing
  if (places === 1 || isCommonPassword(plain) || isCommonPassword(read)) return { work: 1, usesContext: false }
  return undefined
}

function isRun(text: string): boolean {
  return /^(.)\1{2,}$/u.test(text) || (text.length >= 3 && runs.some((run) => run.includes(text)))
}

const nothing: Reading = { work: 0, usesContext: false }

/** `abcabcabcab` -> `abc`: what is repeated to the end counts once. */
function withoutPeriod(places: readonly Place[]): readonly Place[] {
  for (let period = 1; period <= places.length / 2; period += 1)
    if (places.every((place, at) => place.read === places[at % period]?.read)) return places.slice(0, period)
  return places
}
