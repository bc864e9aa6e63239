/** A time in the words of the browser's language. */
export function when(time: { seconds: bigint } | undefined): string {
  return time ? new Date(Number(time.seconds) * 1000).toLocaleString() : 'at an unknown time'
}
