/** What stands in the way of a person: one sentence and a way out, shown without a stack. */
export class Obstacle extends Error {
  /** @param {string} message @param {number} [exitCode] */
  constructor(message, exitCode) {
    super(message)
    this.exitCode = exitCode
  }
}

/** The sentence for a folder that cannot be written, or undefined for any other error. */
export function writingObstacle(error, folder) {
  if (['EACCES', 'EPERM', 'EROFS'].includes(error?.code)) {
    return new Obstacle(
      `${folder} cannot be written to (${error.code}): use a clone in a folder that is yours, or give it back with chown.`,
    )
  }
  if (error?.code === 'ENOSPC' || error?.code === 'EDQUOT')
    return new Obstacle(`The disk is full: about 2 GB are needed under ${folder}. Free some space and start again.`)
  return undefined
}

/** Turns the output of a failed npm or pnpm into a sentence. */
export function registryObstacle(tool, output, folder) {
  const code =
    /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|UND_ERR_\w+|[A-Z_]*CERT[A-Z_]*|ERR_PNPM_META_FETCH_FAIL)\b/.exec(
      output,
    )?.[1]
  if (/ENOSPC|EDQUOT|no space left/i.test(output)) return writingObstacle({ code: 'ENOSPC' }, folder)
  if (/\b(EACCES|EROFS)\b|permission denied/i.test(output)) return writingObstacle({ code: 'EACCES' }, folder)
  if (code || /error sending request|dns error|connection refused/i.test(output)) {
    return new Obstacle(
      `${tool} cannot reach its registry${code ? ` (${code})` : ''}: connect to the network, or set the proxy or the registry (npm config get registry) and start again.`,
    )
  }
  const lines = output.split('\n').filter((line) => line.trim() && !/A complete log of this run|npm warn/i.test(line))
  return new Obstacle(
    `${tool} failed. It said:\n${lines
      .slice(-12)
      .map((line) => `  ${line}`)
      .join('\n')}`,
  )
}
