/**
 * Recovery codes as a file to download. It names the place and the day, so that of two files the newer one is known, and not the person: whoever finds it does not
 * learn whose they are.
 */
export function recoverySheet(codes: readonly string[]): string {
  const head = [
    `Recovery codes for ${location.host}, made on ${new Date().toLocaleDateString()}.`,
    'Each signs you in once. New ones end these.',
  ]
  return `data:text/plain;charset=utf-8,${encodeURIComponent([...head, '', ...codes, ''].join('\n'))}`
}
