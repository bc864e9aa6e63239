import type { Rule } from '../evidence.ts'

/**
 * Versions of one aggregate rise along the stream. Not in a stream that lost its events and was filled by a replay: what is new does not wait for that,
 * and stands before what it follows.
 */
export const orderOfKeys: Rule = {
  name: 'order-of-keys',
  sentence: 'events of one aggregate stand in the stream in the order of their versions',
  *contradictions({ stream, faults }) {
    if (faults.some(({ fault }) => fault.startsWith('nats store'))) return
    const last = new Map<string, number>()
    const seen = new Set<string>()
    for (const { service, id, type, key, version, sequence } of stream) {
      if (seen.has(id)) continue
      seen.add(id)
      const of = `${service} ${key}`
      const before = last.get(of) ?? 0
      if (version <= before) yield `${type} ${id} of ${key} has version ${version} at ${sequence}, behind version ${before}`
      last.set(of, Math.max(before, version))
    }
  },
}
