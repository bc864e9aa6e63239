import { type Encoding, encodings, type Page } from './pages.ts'

/** The smallest body that the caller takes (RFC 9110, section 12.5.3). Whoever refuses all of them gets the plain one: that is better than a 406. */
export function acceptedEncoding(bodies: Page['bodies'], acceptEncoding: string | undefined): Encoding {
  const weights = new Map<string, number>()
  for (const part of (acceptEncoding ?? '').toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((each) => each.trim())
    const q = parameters.find((each) => each.startsWith('q='))
    weights.set(name, q === undefined ? 1 : Number(q.slice(2)))
  }
  const isTaken = (encoding: string): boolean => (weights.get(encoding) ?? weights.get('*') ?? 0) > 0
  return encodings.find((encoding) => bodies[encoding] !== undefined && isTaken(encoding)) ?? 'identity'
}
