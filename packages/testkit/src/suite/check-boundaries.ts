import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { root, roots } from './find-tests.ts'
import { allowed, planted } from './planted-violations.ts'
import { runCommand } from './run-command.ts'
import type { StepOutcome } from './step.ts'

const config = join(root, '.dependency-cruiser.mjs')

/** Holds every import against the arrow, after making sure that a wrong import would be reported. */
export async function checkBoundaries(signal: AbortSignal): Promise<StepOutcome> {
  const doubts = await selfTest(signal)
  if (doubts.length > 0) return { passed: false, output: `The self-test of the boundaries failed:\n${doubts.join('\n')}` }
  const { passed, output } = await runCommand('depcruise', ['--config', config, ...roots], signal)
  const modules = Number(/(\d+) modules/.exec(output)?.[1] ?? 0)
  if (passed && modules === 0)
    return { passed: false, output: 'dependency-cruiser read no module at all: it lacks a compiler that it can use.' }
  return { passed, output, note: `${modules} modules` }
}

type Cruise = {
  readonly summary: {
    readonly totalCruised: number
    readonly violations: readonly { readonly rule: { readonly name: string }; readonly from: string; readonly to: string }[]
  }
}

/** Cruises a house of planted files: each rule has to report its wrong import, and nothing that is right may be reported. */
async function selfTest(signal: AbortSignal): Promise<string[]> {
  const { default: cruiser } = (await import(config)) as { default: { forbidden: { name: string }[] } }
  const rules = cruiser.forbidden.map(({ name }) => name)
  const right = await cruise(allowed, signal)
  const wrong = await cruise({ ...allowed, ...Object.assign({}, ...Object.values(planted)) }, signal)
  const reported = new Set(wrong.summary.violations.map(({ rule, from }) => `${rule.name} ${from}`))
  return [
    ...(right.summary.totalCruised < Object.keys(allowed).length ? [`only ${right.summary.totalCruised} modules were read`] : []),
    ...right.summary.violations.map(({ rule, from, to }) => `${rule.name} reports what is right: ${from} -> ${to}`),
    ...rules.filter((rule) => !planted[rule]).map((rule) => `${rule} has no planted violation`),
    ...Object.entries(planted).flatMap(([rule, files]) =>
      Object.keys(files)
        .filter((from) => !reported.has(`${rule} ${from}`))
        .map((from) => `${rule} does not report ${from}`),
    ),
  ]
}

async function cruise(files: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Cruise> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-boundaries-'))
  try {
    await writeFile(join(folder, 'package.json'), '{"type":"module"}')
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true })
      await writeFile(join(folder, name), `${text}\n`)
    }
    const { output } = await runCommand(
      'depcruise',
      ['--config', config, '--output-type', 'json', 'packages', 'services', 'deploy'],
      signal,
      folder,
    )
    try {
      return JSON.parse(output) as Cruise
    } catch {
      throw new Error(`dependency-cruiser said:\n${output.slice(0, 2_000)}`)
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
