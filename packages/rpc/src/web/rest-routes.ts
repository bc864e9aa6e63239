import { type DescField, type DescMethod, type DescService, getOption, hasOption, ScalarType } from '@bufbuild/protobuf'
import { access, rest_status as restStatus } from '@gatehouse/contracts/gatehouse/options/v1/options_pb'
import { http } from '@gatehouse/contracts/google/api/annotations_pb'
import type { HttpRule } from '@gatehouse/contracts/google/api/http_pb'
import { hasSensitiveField } from './sensitive-field.ts'

/** One RPC as the REST door serves it, read from its `google.api.http` option. */
export interface RestRoute {
  readonly rpc: DescMethod
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Path template such as `/api/users/{id}:suspend`. */
  readonly path: string
  /** The request fields that stand in the path, in its order; all of them are strings. */
  readonly variables: readonly DescField[]
  /** Whether the other fields come in the body; otherwise they come in the query. */
  readonly body: boolean
  /** The field of the response that is the answer; the whole response where it is undefined. */
  readonly answer: DescField | undefined
  /** HTTP status of success. */
  readonly status: number
  /** On a create: where to read what was created, as the path before its id, and the field of the answer that is its id. */
  readonly location: { readonly prefix: string; readonly id: DescField } | undefined
}

const PATH = /^(?:\/[a-z][A-Za-z0-9_-]*|\/\{[a-z][a-z0-9_]*\})+(?::[a-z][A-Za-z]*)?$/
const VARIABLE = /\{([a-z][a-z0-9_]*)\}/g

/**
 * The REST routes of a service, in the order of its RPCs. An origin or a gateway sends these paths to the service's web door.
 * @throws TypeError when an option uses a part of `google.api.http` that our contracts do not, puts a personal or secret field into a URL, or
 * opens an RPC that is closed to people.
 */
export function restRoutes(service: DescService): RestRoute[] {
  const routes = service.methods.filter((rpc) => hasOption(rpc, http)).map(readRoute)
  return routes.map((route) => (route.status === 201 ? { ...route, location: locationOf(route, routes) } : route))
}

/** Whether any alternative of the RPC's access is for people; others do not exist on the web door. */
export function isOpenToPeople(rpc: DescMethod): boolean {
  const rule = getOption(rpc, access)
  return rule.public || rule.signedIn || rule.own !== '' || rule.permission !== ''
}

/** Whether everybody may call, so that the answer is nobody's secret. */
export function isPublic(rpc: DescMethod): boolean {
  return getOption(rpc, access).public
}

function readRoute(rpc: DescMethod): RestRoute {
  const rule = getOption(rpc, http)
  const fail = (problem: string) => new TypeError(`${rpc.parent.typeName}/${rpc.name}: ${problem}`)
  const { method, path } = readPattern(rule) ?? {}
  if (!method || !path || !PATH.test(path)) throw fail('google.api.http has a pattern that the REST door does not know')
  if (rpc.methodKind !== 'unary') throw fail('a stream has no REST route')
  if (!isOpenToPeople(rpc)) throw fail('has a REST route and is closed to people')
  if (rule.additionalBindings.length > 0) throw fail('additional_bindings are not known')
  if (rule.body !== '' && rule.body !== '*') throw fail('body is neither empty nor *')
  const body = rule.body === '*'
  if (body === (method === 'GET' || method === 'DELETE')) throw fail(`${method} does not go with body "${rule.body}"`)

  const variables = [...path.matchAll(VARIABLE)].map(([, name]) => {
    const field = rpc.input.fields.find((each) => each.name === name)
    if (field?.fieldKind !== 'scalar' || field.scalar !== ScalarType.STRING) throw fail(`{${name}} is no string field`)
    return field
  })
  if (!body && hasSensitiveField(rpc.input)) throw fail('would put a personal or secret field into a URL')

  const answer = rule.responseBody === '' ? undefined : rpc.output.fields.find((each) => each.name === rule.responseBody)
  if (rule.responseBody !== '' && answer?.fieldKind !== 'message') throw fail('response_body is no message field')
  return {
    rpc,
    method,
    path,
    variables,
    body,
    answer,
    status: getOption(rpc, restStatus) || 200,
    location: undefined,
  }
}

function readPattern(rule: HttpRule): Pick<RestRoute, 'method' | 'path'> | undefined {
  const { case: verb, value } = rule.pattern
  if (verb === undefined || verb === 'custom') return undefined
  return { method: verb.toUpperCase() as RestRoute['method'], path: value }
}

function locationOf(route: RestRoute, routes: readonly RestRoute[]): RestRoute['location'] {
  const readers = routes.filter((each) => each.method === 'GET' && each.path.startsWith(`${route.path}/{`))
  const name = readers.find((each) => each.variables.length === 1 && each.path.endsWith('}'))?.variables[0]?.name
  const id = (route.answer?.message ?? route.rpc.output).fields.find((field) => field.name === name)
  if (!id) throw new TypeError(`${route.rpc.parent.typeName}/${route.rpc.name}: answers 201, and no route reads what it created`)
  return { prefix: `${route.path}/`, id }
}
