import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { root } from './find-tests.ts'
import { type FileResult, runTestFile } from './run-test-file.ts'
import { indent } from './step.ts'

export type { FileResult }

/** Each file is a Node process beside PostgreSQL and NATS: more at once than this and waits on conditions begin to fail. */
const atOnce = Math.min(4, Math.max(2, availableParallelism() - 1))

/** Runs every file, the slowest of the last run first, and prints a line for each as it ends. */
export async function runTests(files: readonly string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<readonly FileResult[]> {
  const times = await lastTimes()
  const waiting = files.toSorted((a, b) => (times[b] ?? 60) - (times[a] ?? 60))
  const results: FileResult[] = []
  const worker = async (): Promise<void> => {
    for (let file = waiting.shift(); file && !signal.aborted; file = waiting.shift()) {
      const result = await runTestFile(file, env, signal)
      if (signal.aborted) return
      results.push(result)
      times[file] = result.seconds
      print(result)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
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

const timesFile = join(root, '.cache', 'test-times.json')

async function lastTimes(): Promise<Record<string, number>> {
  try {
    return JSON.parse(await readFile(timesFile, 'utf8')) as Record<string, number>
  } catch {
    return {}
  }
}
