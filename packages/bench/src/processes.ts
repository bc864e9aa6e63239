import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { canPin } from './child.ts'

const run = promisify(execFile)

/** Keeps a process, its threads and whatever it starts from now on, on one core, or on those of a list such as `0-3`. Where that cannot be done, nothing happens. */
export async function pin(pid: number, core: number | string): Promise<void> {
  if (canPin) await run('taskset', ['-a', '-c', '-p', String(core), String(pid)])
}

/** Resident memory of a process in bytes. */
export async function residentBytes(pid: number): Promise<number> {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]
  if (kilobytes === undefined) throw new Error(`process ${pid} tells no VmRSS`)
  return Number(kilobytes) * 1024
}

/** The server process behind a Postgres, from which its connections' processes come. */
export async function postmasterOf(url: string): Promise<number> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    const stat = await readFile(`/proc/${rows[0]?.pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } finally {
    await client.end()
  }
}
