import { fork } from 'node:child_process'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { root } from './find-tests.ts'
import type { TestMessage } from './test-events.ts'

export type FileResult = {
  readonly file: string
  readonly seconds: number
  readonly passed: number
  readonly failures: readonly { readonly name: string; readonly reason: string }[]
  readonly skipped: readonly { readonly name: string; readonly reason: string }[]
  /** What the process printed, its end only. */
  readonly output: string
}

type Told = { name: string; reason: string }
type Tally = { seconds: number | undefined; passed: number; readonly failures: Told[]; readonly skipped: Told[] }

/** A process may take this long for each of its files. */
const limitMs = 240_000
/** So long after its last sign of life a process is taken for hung, or for one that left something open. */
const silenceMs = 120_000

const reporter = new URL('./test-events.ts', import.meta.url).href
const together = fileURLToPath(new URL('./test-program.ts', import.meta.url))

/** Runs test files in a process of their own, one after the other, and answers how each of them went. */
export async function runTestFiles(files: readonly string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<readonly FileResult[]> {
  const began = performance.now()
  const [first = ''] = files
  const alone = files.length === 1
  const child = fork(alone ? join(root, first) : together, alone ? [] : files, {
    cwd: root,
    env: { ...process.env, ...env },
    execArgv: [`--test-reporter=${reporter}`],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-8_000)
    })
  }

  const tallies = new Map(files.map((file): [string, Tally] => [file, { seconds: undefined, passed: 0, failures: [], skipped: [] }]))
  /** Whose a test is; what belongs to none of them is the first's that has not ended. */
  const tallyOf = (path: string | undefined): Tally =>
    (path !== undefined && tallies.get(relative(root, path))) || unended(tallies) || (tallies.get(first) as Tally)
  const running = new Map<string, number>()
  let lastSign = performance.now()
  child.on('message', (message) => {
    const event = message as TestMessage
    lastSign = performance.now()
    const key = `${event.nesting} ${event.name}`
    if (event.kind === 'began') {
      running.set(key, lastSign)
      return
    }
    running.delete(key)
    const whole = !alone && event.nesting === 0 ? tallies.get(event.name) : undefined
    const tally = whole ?? tallyOf(event.file)
    if (whole) whole.seconds = event.seconds
    if (event.outcome === 'passed') tally.passed += whole ? 0 : 1
    else (event.outcome === 'failed' ? tally.failures : tally.skipped).push({ name: event.name, reason: event.reason })
  })

  const watch = setInterval(() => {
    const tooLong = performance.now() - began > limitMs * files.length
    if (!tooLong && performance.now() - lastSign < silenceMs) return
    clearInterval(watch)
    const names = [...running.keys()].map((key) => key.slice(key.indexOf(' ') + 1)).filter((name) => !tallies.has(name))
    const what = tooLong ? `did not end within ${(limitMs * files.length) / 1000} s` : `was silent for ${silenceMs / 1000} s`
    const why = names.length > 0 ? `at work: ${names.join(', ')}` : 'every test had ended: a pool, a port or a timer was left open'
    tallyOf(undefined).failures.push({ name: first, reason: `The process of ${files.join(', ')} ${what}; ${why}.` })
    child.kill('SIGKILL')
  }, 500)
  const abort = (): void => void child.kill('SIGTERM')
  signal.addEventListener('abort', abort, { once: true })

  const [code, killedBy] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject).once('close', (...how) => resolve(how))
  })
  clearInterval(watch)
  signal.removeEventListener('abort', abort)
  const failed = [...tallies.values()].some(({ failures }) => failures.length > 0)
  if (!failed && code !== 0)
    tallyOf(undefined).failures.push({
      name: first,
      reason: `The process of ${files.join(', ')} ended with ${killedBy ?? `exit code ${code}`}.`,
    })
  const seconds = (performance.now() - began) / 1000
  return [...tallies].map(([file, { failures, passed, skipped, seconds: own }]) => {
    if (failures.length === 0 && passed + skipped.length === 0)
      failures.push({ name: file, reason: failed || code !== 0 ? 'It did not come to it.' : 'The file has no test.' })
    return { file, seconds: alone ? seconds : (own ?? 0), passed, failures, skipped, output }
  })
}

function unended(tallies: ReadonlyMap<string, Tally>): Tally | undefined {
  return [...tallies.values()].find(({ seconds }) => seconds === undefined)
}
