import type { DescField, JsonObject, JsonValue, Message } from '@bufbuild/protobuf'
import { ScalarType } from '@bufbuild/protobuf'
import { decodeJson } from './decode-message.ts'
import { malformed } from './malformed.ts'
import { parseJson } from './parse-json.ts'
import { readQuery } from './read-query.ts'
import type { RestRoute } from './rest-routes.ts'

/** One REST request as it came. */
export interface RestInput {
  /** Values of the path's variables by their proto names, unescaped. */
  readonly variables: Readonly<Record<string, string>>
  /** Request target, with its query. */
  readonly target: string
  readonly body: Uint8Array
}

/**
 * Puts the request message together from path, query and body. A field that stands in two places must say the same in both.
 * @throws Refusal MALFORMED_REQUEST
 */
export function decodeRest(route: RestRoute, { variables, target, body }: RestInput): Message {
  const query = readQuery(target)
  const json = route.body ? readBody(route, body, query) : readParameters(route, body, query)
  for (const field of route.variables) {
    const value = variables[field.name] ?? ''
    for (const name of new Set([field.jsonName, field.name])) {
      if (Object.hasOwn(json, name) && json[name] !== value) throw malformed(field.jsonName, 'PATH', 'The path says something else.')
      delete json[name]
    }
    json[field.jsonName] = value
  }
  return decodeJson(route.rpc.input, json)
}

function readBody(route: RestRoute, body: Uint8Array, query: Map<string, string[]>): JsonObject {
  const [parameter] = query.keys()
  if (parameter !== undefined) throw malformed(parameter, 'UNKNOWN_FIELD', 'There is no such parameter.')
  // Where the path already says everything, there may be no body.
  if (body.length === 0 && route.variables.length === route.rpc.input.fields.length) return {}
  const json = parseJson(body)
  if (json === null || typeof json !== 'object' || Array.isArray(json)) throw malformed('', 'TYPE', 'The body is not a JSON object.')
  return json
}

function readParameters(route: RestRoute, body: Uint8Array, query: Map<string, string[]>): JsonObject {
  if (body.length > 0) throw malformed('', 'BODY', 'No body was expected.')
  const json: JsonObject = {}
  for (const [name, values] of query) {
    const field = route.rpc.input.fields.find((each) => each.jsonName === name || each.name === name)
    if (field === undefined || route.variables.includes(field)) throw malformed(name, 'UNKNOWN_FIELD', 'There is no such parameter.')
    if (Object.hasOwn(json, field.jsonName)) throw malformed(field.jsonName, 'REPEATED', 'The parameter stands there twice.')
    json[field.jsonName] = readValues(field, values)
  }
  return json
}

function readValues(field: DescField, values: string[]): JsonValue {
  if (field.fieldKind === 'list' && field.listKind === 'scalar') return values.map((value) => readScalar(field.scalar, value))
  if (values.length > 1) throw malformed(field.jsonName, 'REPEATED', 'The parameter stands there twice.')
  const value = values[0] ?? ''
  return field.fieldKind === 'scalar' ? readScalar(field.scalar, value) : value
}

function readScalar(scalar: ScalarType, value: string): JsonValue {
  // Protobuf JSON reads numbers from strings, but not booleans.
  if (scalar === ScalarType.BOOL && (value === 'true' || value === 'false')) return value === 'true'
  return value
}
