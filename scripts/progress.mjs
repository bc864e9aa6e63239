/** Tells on stderr (stdout belongs to the program) what is being done, and how long it took. */
export async function step(doing, done, work) {
  const began = performance.now()
  const terminal = process.stderr.isTTY
  process.stderr.write(terminal ? `… ${doing}` : `… ${doing}\n`)
  try {
    const result = await work()
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    process.stderr.write(`${terminal ? '\r\x1b[K' : ''}✓ ${done} (${seconds} s)\n`)
    return result
  } catch (error) {
    if (terminal) process.stderr.write(`\r\x1b[K✗ ${doing}\n`)
    throw error
  }
}
