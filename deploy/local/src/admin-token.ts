import { rm } from 'node:fs/promises'
import { writePrivately } from './state.ts'

const everyMs = 5 * 60_000

/** Keeps a fresh administrator's token in `file` (mode 0600), and removes it at the end. `broken` is told when a later one cannot be made. */
export async function keepAdminToken(file: string, make: () => Promise<string>, broken: (why: string) => void): Promise<AsyncDisposable> {
  const write = async () => writePrivately(file, `${(await make()).trim()}\n`)
  await write()
  const timer = setInterval(() => {
    write().catch((error: unknown) =>
      broken(`The administrator's token cannot be renewed: ${error instanceof Error ? error.message : String(error)}`),
    )
  }, everyMs)
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await rm(file, { force: true })
    },
  }
}
