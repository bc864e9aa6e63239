import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { onCore } from '../child.ts'
import type { LoadOrder } from './closed-loop.ts'

/** What h2load saw. It knows HTTP's status and no more: whether an answer is right has to be asked elsewhere. */
export interface H2loadResult {
  readonly calls: number
  readonly perSecond: number
}

const run = promisify(execFile)

const program = (process.env.PATH ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'h2load'))
  .find((file) => existsSync(file))

/** Whether h2load (Debian: nghttp2-client) is on the PATH. */
export const hasH2load = program !== undefined

/** Has h2load send the first call of an order again and again, from one core; every status has to be 2xx. */
export async function h2load(order: LoadOrder, protocol: 'grpc' | 'http', core: number): Promise<H2loadResult> {
  if (program === undefined) throw new Error('h2load is not installed')
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-h2load-'))
  try {
    const { command, args } = onCore(core, [program, ...(await argumentsOf(order, protocol, join(folder, 'body')))])
    const { stdout } = await run(command, [...args])
    return resultOf(stdout, order.seconds)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function argumentsOf(
  { port, path, headers, calls, seconds, inFlight, connections }: LoadOrder,
  protocol: 'grpc' | 'http',
  body: string,
) {
  const message = calls[0]?.request ?? Buffer.alloc(0)
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(message.length, 1)
  await writeFile(body, protocol === 'grpc' ? Buffer.concat([prefix, message]) : message)
  const sent: (readonly [string, string])[] = [
    ...headers,
    ['traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00'],
    ...(protocol === 'grpc'
      ? ([
          ['te', 'trailers'],
          ['content-type', 'application/grpc'],
        ] as const)
      : []),
  ]
  return [
    ...(protocol === 'http' ? ['--h1'] : []),
    ...['-D', `${Math.round(seconds * 1000)}ms`, '-c', String(connections), '-m', String(Math.ceil(inFlight / connections)), '-d', body],
    ...sent.flatMap(([name, value]) => ['-H', `${name === 'host' ? ':authority' : name}: ${value}`]),
    `http://127.0.0.1:${port}${path}`,
  ]
}

/** Reads h2load's summary. @throws when a call failed or had another status than 2xx. */
export function resultOf(summary: string, seconds: number): H2loadResult {
  const counts = /requests: .* (\d+) done, \d+ succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/.exec(summary)
  const statuses = /status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/.exec(summary)
  if (!counts || !statuses) throw new Error(`h2load said:\n${summary}`)
  const [done = 0, ...bad] = counts.slice(1).map(Number)
  const [right = 0, ...other] = statuses.slice(1).map(Number)
  if (done === 0 || right < done || [...bad, ...other].some((count) => count > 0))
    throw new Error(`not every call was answered:\n${summary}`)
  return { calls: done, perSecond: done / seconds }
}
