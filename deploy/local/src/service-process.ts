import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { request } from 'node:http'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type OwnedProcess, type ProcessEnd, SetupProblem, startOwned } from '@gatehouse/testkit'
import type { ServiceName } from './options.ts'

/** The root of the checkout. */
export const root = fileURLToPath(new URL('../../../', import.meta.url))

// What lives long is small; a young generation of 16 MB (V8's default) would be most of an idle service's memory.
const serviceFlags = ['--max-semi-space-size=4']

const serviceEnvironment = {
  // Hashes take as many threads as there are cores; four more keep files and names moving behind a full queue of them.
  UV_THREADPOOL_SIZE: String(availableParallelism() + 4),
  // glibc gives each of those threads an arena of its own, which costs thirty megabytes and serves nobody.
  MALLOC_ARENA_MAX: '2',
}

/** Variables that every Node process of ours hands on to its children. */
export function inherited(): Record<string, string> {
  const { PATH = '', NODE_COMPILE_CACHE } = process.env
  return { PATH, NODE_NO_WARNINGS: '1', ...(NODE_COMPILE_CACHE !== undefined && { NODE_COMPILE_CACHE }) }
}

// A service that is not ready by then is stuck: on a machine under load it takes a few seconds.
const readyMs = 60_000

/** What may be other than `npm start` has it. */
export interface ServiceProcessOptions {
  /** Another checkout whose code runs. */
  readonly tree?: string
  /** Name of the log, where there are several replicas. */
  readonly log?: string
}

/** Starts `services/<name>/src/main.ts` as a process of its own; what it writes goes to `<folder>/logs/<name>.log`. */
export async function startServiceProcess(
  name: ServiceName,
  env: Record<string, string>,
  folder: string,
  { tree = root, log = name }: ServiceProcessOptions = {},
): Promise<OwnedProcess> {
  await mkdir(join(folder, 'logs'), { recursive: true })
  const file = createWriteStream(join(folder, 'logs', `${log}.log`), { flags: 'a' })
  const child = await startOwned({
    command: process.execPath,
    args: [...serviceFlags, join(tree, 'services', name, 'src', 'main.ts')],
    stopSignal: 'SIGTERM',
    insistSignal: 'SIGKILL',
    graceMs: 25_000,
    cwd: tree,
    env: { ...inherited(), ...serviceEnvironment, ...env },
    log: (line) => file.write(`${line}\n`),
  })
  void child.exited.then(() => file.end())
  return child
}

/** Waits until the service answers `/readyz`. Throws a {@link SetupProblem} with its last lines when it ends before, or takes a minute. */
export async function untilReady(name: ServiceName, child: OwnedProcess, metricsPort: number): Promise<void> {
  for (const end = performance.now() + readyMs; performance.now() < end; ) {
    const answer = await Promise.race([child.exited, fetch(`http://127.0.0.1:${metricsPort}/readyz`).catch(() => undefined)])
    if (answer && 'code' in answer) throw new SetupProblem(crashed(name, answer))
    if (answer?.ok) return void (await answer.body?.cancel())
    await delay(20)
  }
  throw new SetupProblem(`The ${name} service is not ready after a minute. Its last lines:\n${child.lastLines.join('\n')}`)
}

const aCall: Readonly<Record<ServiceName, string>> = {
  user: 'gatehouse.user.v1.UserService/GetCurrentUser',
  auth: 'gatehouse.auth.v1.SessionService/ListSessions',
  notification: 'gatehouse.notification.v1.InboxService/ListInboxItems',
}

/**
 * Waits until the service knows the tenant of the host, and so refuses a stranger's call for want of credentials. Ready services serve without their
 * peers; a person who reads `ready` expects more.
 */
export async function untilAcquainted(name: ServiceName, webPort: number, host: string): Promise<void> {
  for (const end = performance.now() + readyMs; performance.now() < end; ) {
    if ((await statusOf(webPort, `/${aCall[name]}`, host)) === 401) return
    await delay(20)
  }
  throw new SetupProblem(`The ${name} service does not find auth after a minute: its log tells why.`)
}

function statusOf(port: number, path: string, host: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const headers = { host, 'content-type': 'application/json' }
    request({ host: '127.0.0.1', port, path, method: 'POST', headers, agent: false }, (answer) => {
      answer.resume()
      resolve(answer.statusCode)
    })
      .on('error', () => resolve(undefined))
      .end('{}')
  })
}

/** What to say of a service that ended by itself. */
export function crashed(name: string, { code, signal, lastLines }: ProcessEnd): string {
  return `The ${name} service ended by itself (${signal ?? `exit code ${code}`}). Its last lines:\n${lastLines.map((line) => `  ${line}`).join('\n')}`
}
