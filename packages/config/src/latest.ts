import { readFileSync } from 'node:fs'

/** So long what was read is taken for what is there. */
const heldMs = 1_000

/**
 * The text of a variable as it is now: of its file, where it came from one, which whoever keeps the secrets replaces while the process runs. A file that
 * cannot be read, or is empty for a moment, changes nothing. `read` is what {@link readConfig} found.
 */
export function latest(name: string, read: string, env: Readonly<Record<string, string | undefined>> = process.env): () => string {
  const file = env[`${name}_FILE`]
  if (file === undefined || file === '') return () => read
  let text = read
  let readTime = performance.now()
  return () => {
    const now = performance.now()
    if (now - readTime < heldMs) return text
    readTime = now
    text = textOf(file) || text
    return text
  }
}

/** Without the line break at its end; nothing where it cannot be read. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch {
    return ''
  }
}
