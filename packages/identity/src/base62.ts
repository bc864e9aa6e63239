const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const worthOf = new Map([...digits].map((digit, value) => [digit, BigInt(value)]))

/** How many digits so many bytes take, whatever they hold. */
export function base62Length(bytes: number): number {
  return Math.ceil((bytes * 8) / Math.log2(62))
}

/** Bytes as a number in base62, filled up with zeros to the length that so many bytes may need: letters and digits only, so that a double click takes it whole. */
export function writeBase62(bytes: Uint8Array): string {
  let rest = BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
  let text = ''
  for (let length = base62Length(bytes.length); length > 0; length--) {
    text = `${digits[Number(rest % 62n)]}${text}`
    rest /= 62n
  }
  return text
}

/** The same of a small number, which takes no big one. */
export function writeNumber(value: number, length: number): string {
  let text = ''
  for (let rest = value; text.length < length; rest = Math.floor(rest / 62)) text = `${digits[rest % 62]}${text}`
  return text
}

/** What {@link writeBase62} wrote; undefined for what it never writes. */
export function readBase62(text: string, bytes: number): Uint8Array | undefined {
  if (text.length !== base62Length(bytes)) return undefined
  let value = 0n
  for (const digit of text) {
    const worth = worthOf.get(digit)
    if (worth === undefined) return undefined
    value = value * 62n + worth
  }
  const hex = value.toString(16).padStart(bytes * 2, '0')
  return hex.length === bytes * 2 ? Buffer.from(hex, 'hex') : undefined
}
