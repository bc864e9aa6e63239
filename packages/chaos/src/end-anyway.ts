const patienceMs = 5_000

/**
 * Ends the process when something of a run outlives it, and says what. Once in a while a handle stays open after everything was disposed; which one is not
 * known yet, and a proof that was made must not hang for it.
 */
export function endAnyway(): void {
  setTimeout(() => {
    console.error(`left open after the run: ${process.getActiveResourcesInfo().join(', ')}`)
    process.exit()
  }, patienceMs).unref()
}
