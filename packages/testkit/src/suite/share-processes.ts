import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './find-tests.ts'

/** Starting a process, and loading what a service is made of, takes as long as half of these files. */
const inOneProcess = 6

/** Whoever changes the process, or measures it, has it for itself. */
const changesTheProcess =
  /\bprocess\.(?:env|on|once|exit|exitCode|chdir|memoryUsage|cpuUsage)\b|mock\.timers|setGlobal|startTelemetry|metrics\.|\bgc\(/

/** Puts small files together that may share a process: those that stand beside what they test, of one package. Houses and doors have theirs alone. */
export function shareProcesses(files: readonly string[]): readonly (readonly string[])[] {
  const shared = new Map<string, string[]>()
  const alone: string[][] = []
  for (const file of files) {
    const [folder] = /^(?:packages|services)\/[^/]+\/src\//.exec(file) ?? []
    if (folder === undefined || file.endsWith('.slow.test.ts') || changesTheProcess.test(readFileSync(join(root, file), 'utf8')))
      alone.push([file])
    else shared.set(folder, [...(shared.get(folder) ?? []), file])
  }
  return [...alone, ...[...shared.values()].flatMap((of) => [...pieces(of)])]
}

function* pieces(files: readonly string[]): Generator<readonly string[]> {
  const count = Math.ceil(files.length / inOneProcess)
  const size = Math.ceil(files.length / count)
  for (let at = 0; at < files.length; at += size) yield files.slice(at, at + size)
}
