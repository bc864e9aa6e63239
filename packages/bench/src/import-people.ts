import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { root } from './results.ts'

/**
 * Runs `gatehouse user import` on these pieces of a file, or on the file of that name; answers what it said. Rejects when it left anything out, and when
 * the signal is aborted: the import has ended then.
 */
export async function importPeople(
  env: Readonly<Record<string, string>>,
  people: Iterable<string> | string,
  signal?: AbortSignal,
): Promise<string> {
  signal?.throwIfAborted()
  const file = typeof people === 'string' ? people : '-'
  const child = spawn(process.execPath, [join(root, 'packages/cli/src/main.ts'), 'user', 'import', file], {
    cwd: root,
    env: { ...process.env, NODE_NO_WARNINGS: '1', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let said = ''
  let complained = ''
  child.stdout.on('data', (chunk) => {
    said += String(chunk)
  })
  child.stderr.on('data', (chunk) => {
    complained = (complained + String(chunk)).slice(-2000)
  })
  const ended = new Promise<number | null>((resolve, reject) => child.once('close', resolve).once('error', reject))
  const kill = (): void => void child.kill('SIGKILL')
  signal?.addEventListener('abort', kill, { once: true })
  if (typeof people === 'string') child.stdin.end()
  else await pipeline(Readable.from(people), child.stdin).catch(() => undefined)
  const code = await ended
  signal?.removeEventListener('abort', kill)
  signal?.throwIfAborted()
  if (code !== 0) throw new Error(`the import ended with ${code}: ${complained}`)
  return said.trim()
}
