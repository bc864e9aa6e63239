import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keepAside } from '../aside.ts'
import type { Bench, Benchmark, Finding } from '../benchmark.ts'
import { cores } from '../child.ts'
import { peopleWithPassword } from '../people.ts'
import { hashLines, peopleOfKinds } from '../people-of-kinds.ts'
import { postJson } from '../programs/post-json.ts'
import { type Replica, startReplica } from '../replica.ts'
import { spreadOf } from '../statistics.ts'

/** One call of a stranger about an address; answers how long it took. */
type Probe = (number: number) => Promise<number>

interface Pair {
  readonly what: string
  readonly a: Probe
  readonly b: Probe
}

/** How often each side is asked in a round. */
const samplesOf = { full: 60, quick: 1, smoke: 1 }

/** Whether a stranger who has a watch learns who exists (OWASP ASVS 6.3.8). */
export const timing: Benchmark = {
  name: 'timing',
  about:
    'what a stranger learns from the time of an answer: sign-in, sign-up and reset for addresses that somebody has and that nobody has, by turns, one call at a time; the difference of the medians beside that of two halves of one side',
  async run(bench) {
    const { local } = await bench.house()
    await using _ = await keepAside(local)
    const { hash } = await peopleWithPassword(local)
    // Nobody is asked twice by one side: an address that somebody tried before takes other steps, whoever has it.
    const calls = (bench.effort.rounds + 1) * samplesOf[bench.effort.name]
    const people = await peopleOfKinds(local, calls, hash)
    const { host } = new URL(local.origin)
    await using auth = await startReplica(local, 'auth', cores.server)
    const strangers = signIns(auth, host)
    const account = accounts(auth, host)
    const before: readonly Pair[] = [
      { what: 'sign-in: known, and unknown', a: strangers(unknown), b: strangers(people.known) },
      { what: 'sign-in: suspended, and unknown', a: strangers(unknown), b: strangers(people.suspended) },
      { what: 'sign-up: taken, and new', a: account.signUp(unknown), b: account.signUp(people.known) },
      { what: 'reset: known, and unknown', a: account.reset(unknown), b: account.reset(people.known) },
    ]
    const findings: Finding[] = []
    for (const pair of before) findings.push(await compare(bench, pair))

    await importHashes(people.imported, (file) => local.gatehouse('auth', 'auth', 'import-passwords', file))
    // A replica learns of the new kind when it starts, and within a minute otherwise.
    await using later = await startReplica(local, 'auth', cores.server)
    const refused = signIns(later, host)
    const after: readonly Pair[] = [
      { what: 'sign-in: imported with bcrypt, and unknown', a: refused(unknown), b: refused(people.imported) },
      { what: 'sign-in: known, and unknown, others imported with bcrypt', a: refused(unknown), b: refused(people.known) },
    ]
    for (const pair of after) findings.push(await compare(bench, pair))
    return findings
  },
}

let strangers = 0
const unknown = { at: () => `nobody-${++strangers}@timing.example` }
type Addresses = typeof unknown | readonly string[]

function addressOf(addresses: Addresses, number: number): string {
  return 'length' in addresses ? (addresses[number % addresses.length] ?? '') : addresses.at()
}

let source = 0

/** As from somewhere else each time, because a source has limits. */
function headers(host: string): Readonly<Record<string, string>> {
  source++
  return { host, 'x-forwarded-for': `172.${(source >> 16) & 255}.${(source >> 8) & 255}.${source & 255}` }
}

async function timed(expected: number, ask: () => ReturnType<typeof postJson>): Promise<number> {
  const began = performance.now()
  const answer = await ask()
  const ms = performance.now() - began
  if (answer.status !== expected) throw new Error(`answered ${answer.status} ${answer.text}`)
  return ms
}

function signIns({ ports }: Replica, host: string): (addresses: Addresses) => Probe {
  const path = '/gatehouse.auth.v1.SessionService/SignIn'
  return (addresses) => (number) => {
    const body = { email: addressOf(addresses, number), password: 'not the password of anybody' }
    return timed(401, () => postJson(ports.web, path, headers(host), body))
  }
}

function accounts({ ports }: Replica, host: string): Record<'signUp' | 'reset', (addresses: Addresses) => Probe> {
  const ask = (method: string, body: object) =>
    timed(200, () => postJson(ports.web, `/gatehouse.auth.v1.AccountService/${method}`, headers(host), body))
  return {
    signUp: (addresses) => (number) => {
      const password = `a sentence of ${crypto.randomUUID()}`
      return ask('SignUp', { email: addressOf(addresses, number), password, name: 'Somebody New', locale: 'en' })
    },
    reset: (addresses) => (number) => ask('RequestPasswordReset', { email: addressOf(addresses, number) }),
  }
}

/** Asks both sides by turns, one of them twice: the difference of its two halves is what the machine does by itself. */
async function compare(bench: Bench, { what, a, b }: Pair): Promise<Finding> {
  const samples = samplesOf[bench.effort.name]
  const rounds: { difference: number; control: number; a: number }[] = []
  for (let round = -1; round < bench.effort.rounds; round++) {
    const times = { a: [] as number[], again: [] as number[], b: [] as number[] }
    for (let sample = 0; sample < samples; sample++) {
      const number = (round + 1) * samples + sample
      const turns = [
        async () => times.a.push(await a(number)),
        async () => times.b.push(await b(number)),
        async () => times.again.push(await a(number)),
      ]
      // Each of the three is first, second and third as often as the others.
      for (let turn = 0; turn < turns.length; turn++) await turns[(turn + sample) % turns.length]?.()
    }
    const median = (values: readonly number[]) => spreadOf(values).median
    if (round >= 0)
      rounds.push({
        difference: (median(times.b) - median([...times.a, ...times.again])) * 1000,
        control: (median(times.again) - median(times.a)) * 1000,
        a: median(times.a),
      })
  }
  const figure = spreadOf(rounds.map(({ difference }) => difference))
  const control = spreadOf(rounds.map((each) => each.control))
  const said = ({ low, median, high }: typeof figure) => `${median.toFixed(0)} µs (${low.toFixed(0)} to ${high.toFixed(0)})`
  bench.say(`  ${what}: ${said(figure)}, one side against itself ${said(control)}`)
  return {
    name: 'timing',
    what: `${what}: difference of the medians`,
    figure,
    unit: 'µs',
    against: { name: 'unknown against itself', figure: control },
    conditions: {
      median_ms: Number(spreadOf(rounds.map((each) => each.a)).median.toPrecision(3)),
      calls_a_side: bench.effort.rounds * samples,
      control_low: Math.round(control.low),
      control_high: Math.round(control.high),
    },
  }
}

async function importHashes(emails: readonly string[], run: (file: string) => Promise<string>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-hashes-'))
  try {
    const file = join(folder, 'hashes.ndjson')
    await writeFile(file, hashLines(emails))
    await run(file)
  } finally {
    await rm(folder, { recursive: true })
  }
}
