import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until } from './house.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** Where the house stands, other than the README says: tests share no ports. */
export interface QuickStartPlace {
  readonly originPort: number
  readonly state: string
  readonly env: NodeJS.ProcessEnv
}

/** Runs what the README has a newcomer type once `npm start` says ready, as it is written but for the port and the folder. */
export async function runQuickStart(place: QuickStartPlace): Promise<void> {
  const readme = await readFile(join(root, 'README.md'), 'utf8')
  const journey = await commandsOf(readme, 'The journey')
  assert.match(journey, /SignUp/)
  const said = await typed(place, journey)
  assert.match(said, /"messages"/)
  assert.match(said, /bob@example\.com/)
  // A person reads slower than a mail travels.
  const mailbox = () => typed(place, 'curl localhost:8080/dev/mailbox.json')
  await until('mail for both', async () => (/ada@.*bob@|bob@.*ada@/s.test(await mailbox()) ? true : undefined), 30_000)

  const service = await commandsOf(readme, 'A service of yours')
  assert.match(service, /example\.ts/)
  await typed(place, service, /The token belongs to \S+ <eve@example\.com>/)
}

/** The commands of a section: its fenced blocks that are in no language. */
async function commandsOf(readme: string, section: string): Promise<string> {
  const [, text = ''] = readme.split(`\n## ${section}\n`)
  const fences = (text.split('\n## ')[0] ?? '').matchAll(/^```(\w*)\n(.*?)^```$/gms)
  const blocks = [...fences].filter(([, language]) => language === '').map(([, , block = '']) => block)
  assert.ok(blocks.length > 0, `the README's "${section}" has commands`)
  return blocks.join('\n')
}

/** Machines with Node and npm only have none; and of itself it takes an answer that is an error for one. */
const curl = `curl() {
  if type -P curl > /dev/null; then command curl -sS --fail-with-body "$@"; else "${process.execPath}" "${join(root, 'packages/testkit/test/plain-curl.mjs')}" "$@"; fi
}`

/** Types it into a shell, and answers what was said; with `enough`, Ctrl-C once that was said. An answer of HTTP that is an error fails, as it does not by itself. */
async function typed({ originPort, state, env }: QuickStartPlace, commands: string, enough?: RegExp): Promise<string> {
  const here = commands.replaceAll('localhost:8080', `localhost:${originPort}`).replaceAll('.local/', `${state}/`)
  const child = spawn('bash', ['-euo', 'pipefail', '-c', `${curl}\n${here}`], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += String(chunk)))
  const closed = once(child, 'close') as Promise<[number | null]>
  if (enough === undefined) {
    const [code] = await closed
    assert.equal(code, 0, `${commands}\n${said}`)
    return said
  }
  await until('the words', () => (enough.test(said) ? true : child.exitCode === null ? undefined : assert.fail(said)), 60_000)
  process.kill(-(child.pid ?? 0), 'SIGINT')
  await closed
  return said
}
