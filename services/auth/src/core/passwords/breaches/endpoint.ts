import { sha1Of } from './filter.ts'

const patienceMs = 1_000
/** After a failure nobody waits for the endpoint for so long. */
const restMs = 10_000
const mostAtOnce = 32
/** A padded answer of Have I Been Pwned has some 60 KB. */
const mostBytes = 1 << 20
const line = /^([0-9A-F]{35}):(\d+)\r?$/gim

/** What the endpoint said; `undefined` where it said nothing that can be used. */
export type Said = boolean | undefined

/** Asks whether a password is known from a breach. */
export type AskEndpoint = (password: string) => Promise<Said>

/** Why nothing was said; told once, not for every password until the endpoint is back. */
export interface EndpointOptions {
  readonly url: string
  readonly onFailure: (problem: string) => void
  readonly now?: () => number
}

/**
 * Asks an endpoint that speaks the range protocol of Have I Been Pwned: it is told the first five digits of the password's SHA-1, which many passwords share, and
 * answers all suffixes that it knows, padded. It is asked for the configured address only; redirects are not followed.
 */
export function rangeEndpoint({ url, onFailure, now = performance.now.bind(performance) }: EndpointOptions): AskEndpoint {
  const base = url.replace(/\/+$/, '')
  let restUntil = 0
  let underWay = 0
  return async (password) => {
    if (now() < restUntil || underWay >= mostAtOnce) return undefined
    const digest = sha1Of(password).toString('hex').toUpperCase()
    underWay++
    try {
      return knows(await fetchRange(`${base}/${digest.slice(0, 5)}`), digest.slice(5))
    } catch (error) {
      if (now() >= restUntil) onFailure(error instanceof Error ? error.message : String(error))
      restUntil = now() + restMs
      return undefined
    } finally {
      underWay--
    }
  }
}

async function fetchRange(url: string): Promise<string> {
  const response = await fetch(url, {
    headers: { 'add-padding': 'true', accept: 'text/plain', 'user-agent': 'gatehouse' },
    redirect: 'error',
    signal: AbortSignal.timeout(patienceMs),
  })
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel()
    throw new Error(`it answered ${response.status}`)
  }
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of response.body) {
    bytes += piece.length
    // Leaving the loop ends the answer.
    if (bytes > mostBytes) throw new Error(`its answer is longer than ${mostBytes} bytes`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('latin1')
}

/** Padding has a count of nothing. */
function knows(text: string, suffix: string): boolean {
  let lines = 0
  for (const [, found = '', count] of text.matchAll(line)) {
    lines++
    if (found.toUpperCase() === suffix && Number(count) > 0) return true
  }
  if (lines === 0 && text.trim() !== '') throw new Error('its answer is not lines of a suffix and a count')
  return false
}
