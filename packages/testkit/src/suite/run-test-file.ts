import { fork } from 'node:child_process'
import { join } from 'node:path'
import { root } from './find-tests.ts'
import type { TestMessage } from './test-events.ts'

export type FileResult = {
  readonly file: string
  readonly seconds: number
  readonly passed: number
  readonly failures: readonly { readonly name: string; readonly reason: string }[]
  readonly skipped: readonly { readonly name: string; readonly reason: string }[]
  /** What the file printed, its end only. */
  readonly output: string
}

/** A file may take this long. */
const limitMs = 240_000
/** So long after its last sign of life a file is taken for hung, or for one that left something open. */
const silenceMs = 120_000

const reporter = new URL('./test-events.ts', import.meta.url).href

/** Runs one test file in a process of its own. */
export async function runTestFile(file: string, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<FileResult> {
  const began = performance.now()
  const child = fork(join(root, file), [], {
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

  const running = new Map<string, number>()
  const failures: { name: string; reason: string }[] = []
  const skipped: { name: string; reason: string }[] = []
  let passed = 0
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
    if (event.outcome === 'passed') passed++
    else (event.outcome === 'failed' ? failures : skipped).push({ name: event.name, reason: event.reason })
  })

  const watch = setInterval(() => {
    const tooLong = performance.now() - began > limitMs
    if (!tooLong && performance.now() - lastSign < silenceMs) return
    clearInterval(watch)
    const names = [...running.keys()].map((key) => key.slice(key.indexOf(' ') + 1))
    const what = tooLong ? `did not end within ${limitMs / 1000} s` : `was silent for ${silenceMs / 1000} s`
    const why = names.length > 0 ? `at work: ${names.join(', ')}` : 'every test had ended: a pool, a port or a timer was left open'
    failures.push({ name: file, reason: `The file ${what}; ${why}.` })
    child.kill('SIGKILL')
  }, 500)
  const abort = (): void => void child.kill('SIGTERM')
  signal.addEventListener('abort', abort, { once: true })

  const [code, killedBy] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject).once('close', (...how) => resolve(how))
  })
  clearInterval(watch)
  signal.removeEventListener('abort', abort)
  if (failures.length === 0 && code !== 0) failures.push({ name: file, reason: `The file ended with ${killedBy ?? `exit code ${code}`}.` })
  if (failures.length === 0 && passed + skipped.length === 0) failures.push({ name: file, reason: 'The file has no test.' })
  return { file, seconds: (performance.now() - began) / 1000, passed, failures, skipped, output }
}
