import { execFile } from 'node:child_process'

/**
 * Opens the key-encryption key, the one key outside the database: whatever closes the others is at hand in memory only once this has answered.
 * A key management service wrapped it (its own key never leaves it), and rotating that one means to wrap ours again. Rejects where it cannot.
 */
export type UnwrapKey = (wrapped: Uint8Array) => Promise<Uint8Array>

/** The key as it was given, by a variable or a file: nobody has wrapped it. */
export const asGiven: UnwrapKey = async (key) => key

const patienceMs = 10_000
const longestAnswerBytes = 1024

/**
 * A key that a program unwraps: the wrapped key comes on its standard input in base64, the 32 bytes leave on its standard output in base64. It is started
 * without a shell and without arguments, once for each key when auth or a command starts, with these variables.
 */
export function unwrappedBy(program: string, env: NodeJS.ProcessEnv): UnwrapKey {
  return (wrapped) =>
    new Promise((resolve, reject) => {
      const options = { env, timeout: patienceMs, killSignal: 'SIGKILL', maxBuffer: longestAnswerBytes, encoding: 'utf8' } as const
      const child = execFile(program, [], options, (error, said) => {
        // Neither what it said nor what it complained of is repeated: either may hold the key.
        if (error) reject(new Error(`${program} did not unwrap a key (${error.code ?? error.signal ?? 'no answer'})`))
        else if (!/^[A-Za-z0-9+/]{43}=\s*$/.test(said)) reject(new Error(`${program} did not answer 32 bytes in base64`))
        else resolve(Buffer.from(said, 'base64'))
      })
      // A program that reads nothing closes its end.
      child.stdin?.on('error', () => undefined).end(`${Buffer.from(wrapped).toString('base64')}\n`)
    })
}
