import { createHash } from 'node:crypto'

/**
 * A short name of the place that an error comes from: the same for everything that fails there, whatever the values, and found in the log line that has
 * the whole stack. Lines and columns are left out, so that it survives an edit elsewhere in the file. Undefined for what has no stack.
 */
export function stackId(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.stack === undefined) return undefined
  const frames = error.stack.split('\n').flatMap((line) => /^\s+at (.*)$/.exec(line)?.[1] ?? [])
  if (frames.length === 0) return undefined
  const places = frames.map((frame) => frame.replace(/:\d+:\d+\)?$/, '').replace(/\(?(?:file:\/\/)?\/.*\//, ''))
  return createHash('sha256')
    .update(`${error.name}\n${places.join('\n')}`)
    .digest('hex')
    .slice(0, 12)
}
