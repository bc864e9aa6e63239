import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { root } from './find-tests.ts'
import { idleShare } from './idle-share.ts'
import { type FileResult, runTestFiles } from './run-test-files.ts'
import { shareProcesses } from './share-processes.ts'
import { indent } from './step.ts'

export type { FileResult }

/** Each file is a Node process beside PostgreSQL and NATS: more at once than this and waits on conditions begin to fail. */
const atOnce = Math.min(4, Math.max(2, availableParallelism() - 1))

/** Files wait about as long as they work. One more, that is short, runs beside them when this share of the processors had nothing to do for a moment. */
const muchIdle = 0.4
const momentMs = 500
const shortSeconds = 10

/** Runs every file, the slowest of the last run first, and prints a line for each as it ends. */
export async function runTests(files: readonly string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<readonly FileResult[]> {
  const times = await lastTimes()
  const secondsOf = (group: readonly string[]): number => group.reduce((sum, file) => sum + (times[file] ?? guessedSeconds(file)), 0)
  const waiting = shareProcesses(files).toSorted((a, b) => secondsOf(b) - secondsOf(a))
  const results: FileResult[] = []
  const run = async (group: readonly string[]): Promise<void> => {
    const ended = await runTestFiles(group, env, signal)
    if (signal.aborted) return
    for (const result of ended) {
      results.push(result)
      times[result.file] = result.seconds
      print(result)
    }
  }
  const worker = async (): Promise<void> => {
    for (let group = waiting.shift(); group && !signal.aborted; group = waiting.shift()) await run(group)
  }
  const gapFiller = async (): Promise<void> => {
    const idle = idleShare()
    while (waiting.length > 0 && !signal.aborted) {
      idle()
      await delay(momentMs)
      const next = idle() > muchIdle ? waiting.findIndex((group) => secondsOf(group) < shortSeconds) : -1
      const [group] = next < 0 ? [] : waiting.splice(next, 1)
      if (group) await run(group)
    }
  }
  await Promise.all([...Array.from({ length: atOnce }, worker), gapFiller()])
  await mkdir(dirname(timesFile), { recursive: true })
  await writeFile(timesFile, JSON.stringify(times, undefined, 2))
  return results
}

function print({ file, seconds, passed, failures, output }: FileResult): void {
  const mark = failures.length > 0 ? '✗' : '✓'
  process.stdout.write(
    `  ${mark} ${seconds.toFixed(1).padStart(5)} s  ${file}  ${passed} passed${failures.length > 0 ? `, ${failures.length} failed` : ''}\n`,
  )
  for (const { name, reason } of failures) process.stdout.write(`    ✗ ${name}\n${indent(indent(reason))}\n`)
  if (failures.length > 0 && output.trim())
    process.stdout.write(`    it printed last:\n${indent(indent(output.trimEnd().split('\n').slice(-30).join('\n')))}\n`)
}

/** Of a file that never ran here: what starts services, or measures, is long. */
const guessedSeconds = (file: string): number => (/\/smoke/.test(file) ? 60 : /\/test\//.test(file) ? 20 : 1)

const timesFile = join(root, '.cache', 'test-times.json')

async function lastTimes(): Promise<Record<string, number>> {
  try {
    return JSON.parse(await readFile(timesFile, 'utf8')) as Record<string, number>
  } catch {
    return {}
  }
}
