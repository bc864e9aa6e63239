import { spawn } from 'node:child_process'

/**
 * Runs a shell command when this process ends without having taken its word back: a shell waits for the end of file on a pipe whose other end we hold,
 * which comes with SIGKILL too. `args` are `$1`, `$2`, … of the command. Calling what it answers takes the word back.
 */
export function whenOwnerDies(command: string, args: readonly string[]): () => void {
  const guard = spawn('/bin/sh', ['-c', `read -r _ || { ${command}; }`, 'guard', ...args], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  guard.on('error', () => undefined)
  guard.stdin.on('error', () => undefined)
  guard.unref()
  return () => void guard.stdin.end('\n')
}
