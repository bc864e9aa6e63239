import { createHash } from 'node:crypto'

/** People who are made up by their number, so that nobody has to keep ten million of them to know one. */
export interface Somebody {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly locale: string
}

const firstNames =
  'Ada Alan Amina Anders Aoife Béla Carmen Chidi Claire Dagmar Dmitri Edith Elif Emeka Erik Fatima Farid Frida Grace Gustav Hana Hiroshi Ines Ivan Jana João Jürgen Kateřina Kwame Lars Leila Linus Lucía Magda Malik Maria Marie Marta Mateo Mei Mihai Mina Mohamed Nadia Niels Noor Olga Omar Paolo Petra Priya Rafael Rosa Samir Sara Sofia Søren Tariq Thea Tomás Ursula Viktor Wanda Yuki Zoë'.split(
    ' ',
  )
const lastNames =
  'Adeyemi Andersson Babbage Bauer Becker Bernard Bianchi Borg Brown Byron Chen Costa Curie Dahl Diaz Dubois Dvořák Euler Fischer Fontaine Franklin García Gauß Haddad Hansen Hassan Hopper Horvat Ivanova Jansen Jensen Johnson Kaya Keller Khan Kim Klein Kovács Kowalski Larsen Lovelace Maier Marino Martin Meyer Müller Nagy Nguyen Noether Novák Okafor Olsen Papadopoulos Patel Pereira Petrov Popescu Ramos Ricci Rossi Sato Schmidt Silva Singh Smith Sørensen Suzuki Tanaka Turing Vogel Wagner Weber Wilson Yamamoto Yılmaz Zhang Zimmermann'.split(
    ' ',
  )
const locales = ['en', 'de', 'de-AT', 'fr', 'pt-BR', 'ja']
const firstMillisecond = Date.UTC(2020, 0, 1)

/** The person of a number. Ids are UUIDv7 in the order of the numbers; names come in no order, and many share one. */
export function somebody(number: number): Somebody {
  const first = firstNames[scatter(number) % firstNames.length] ?? ''
  const last = lastNames[scatter(number + 0x5bd1e995) % lastNames.length] ?? ''
  return {
    id: idOf(number),
    name: `${first} ${last}${number % 3 === 0 ? '' : ` ${(scatter(number * 31 + 7) % 1000).toString(36)}`}`,
    email: `person-${number}@crowd.example`,
    locale: locales[number % locales.length] ?? 'en',
  }
}

/** A UUIDv7 as of the number's own millisecond. */
export function idOf(number: number): string {
  const time = (firstMillisecond + number).toString(16).padStart(12, '0')
  const more =
    scatter(number).toString(16).padStart(8, '0') +
    scatter(number + 0x9e3779b9)
      .toString(16)
      .padStart(8, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${more.slice(0, 3)}-a${more.slice(3, 6)}-${more.slice(6)}${more.slice(0, 2)}`
}

/** Spreads neighbouring numbers over 32 bits (the finaliser of MurmurHash3). */
export function scatter(number: number): number {
  let bits = number | 0
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}

/** The lines of an import of the people from one number up to another, in pieces. */
export function* linesOf(from: number, below: number): Generator<string> {
  let piece = ''
  for (let number = from; number < below; number++) {
    piece += `${JSON.stringify(somebody(number))}\n`
    if (piece.length > 256 * 1024) {
      yield piece
      piece = ''
    }
  }
  yield piece
}

/** A number from 0 up to 1 for each place of a series, the same in every run. */
export function seriesOf(name: string): (place: number) => number {
  const seed = createHash('sha256').update(name).digest().readInt32LE()
  return (place) => scatter(Math.imul(place, 0x9e3779b1) ^ seed) / 2 ** 32
}
