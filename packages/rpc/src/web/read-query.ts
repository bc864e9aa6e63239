import { malformed } from './malformed.ts'

/**
 * The parameters of a request target, each with its values in their order.
 * @throws Refusal MALFORMED_REQUEST for escapes that are no UTF-8.
 */
export function readQuery(target: string): Map<string, string[]> {
  const query = new Map<string, string[]>()
  const start = target.indexOf('?')
  if (start < 0) return query
  for (const pair of target.slice(start + 1).split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = plainText(equals < 0 ? pair : pair.slice(0, equals))
    const value = equals < 0 ? '' : plainText(pair.slice(equals + 1))
    const values = query.get(name)
    if (values) values.push(value)
    else query.set(name, [value])
  }
  return query
}

function plainText(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw malformed('', 'QUERY', 'The query has an escape that cannot be read.')
  }
}
