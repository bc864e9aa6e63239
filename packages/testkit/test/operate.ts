import assert from 'node:assert/strict'
import type { Local } from '@gatehouse/local'
import { commands as auth } from '../../../services/auth/src/commands.ts'
import { commands as notification } from '../../../services/notification/src/commands.ts'
import { commands as user } from '../../../services/user/src/commands.ts'

export const commandsOf = { user, auth, notification }

/** What an operator sees: standard output, standard error, and the sentence with which the command failed. */
export interface Seen {
  readonly out: string
  readonly err: string
  readonly failure: string | undefined
}

let last: Promise<unknown> = Promise.resolve()

/**
 * Runs a command in this process, which is quicker than in one of its own, with the service's environment and what is changed of it. One after the
 * other: they all print to this process's streams.
 */
export function operate(...order: Parameters<typeof run>): Promise<Seen> {
  const seen = last.then(() => run(...order))
  last = seen.catch(() => undefined)
  return seen
}

async function run(
  local: Pick<Local, 'environment'>,
  service: keyof typeof commandsOf,
  name: string,
  ...args: readonly (string | Record<string, string>)[]
): Promise<Seen> {
  const command = commandsOf[service].find((each) => each.name === name) ?? assert.fail(`${service} has no command ${name}`)
  const words = args.filter((arg) => typeof arg === 'string')
  const env = Object.assign(local.environment(service), ...args.filter((arg) => typeof arg !== 'string')) as Record<string, string>
  const [out, err] = [caught(process.stdout), caught(process.stderr)]
  try {
    await command.run(words, env)
    return { out: out.end(), err: err.end(), failure: undefined }
  } catch (error) {
    if (!(error instanceof Error) || !/^(Command|Config)/.test(error.name)) throw error
    return { out: out.end(), err: err.end(), failure: error.message }
  } finally {
    out.end()
    err.end()
  }
}

/** The test runner reports over the same streams, in bytes. */
function caught(stream: NodeJS.WriteStream): { end: () => string } {
  const { write } = stream
  const lines: string[] = []
  stream.write = (chunk: string | Uint8Array, ...rest: never[]) =>
    typeof chunk === 'string' ? lines.push(chunk) > 0 : write.call(stream, chunk, ...rest)
  return {
    end() {
      stream.write = write
      return lines.join('')
    },
  }
}
