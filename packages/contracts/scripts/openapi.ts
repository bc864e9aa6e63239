import type { DescField, DescService, JsonObject, JsonValue } from '@bufbuild/protobuf'
import { getOption } from '@bufbuild/protobuf'
import { Code } from '@connectrpc/connect'
import { codeToString } from '@connectrpc/connect/protocol-connect'
import { type RestRoute, restRoutes } from '../../rpc/src/web/rest-routes.ts'
import { access, limits } from '../src/gatehouse/options/v1/options_pb.ts'
import { describeAccess, describeLimits, describeReasons, describeStepUp, type Reason, reasonsOf } from './describe-rpc.ts'
import { createSchemas, type Schemas } from './json-schema.ts'
import type { Contracts } from './read-contracts.ts'

/** The REST door as an OpenAPI 3.1 document. */
export function openApi(contracts: Contracts, version: string): JsonObject {
  const schemas = createSchemas(contracts)
  const common = contracts.reasons.filter((each) => each.file.proto.package === 'gatehouse.options.v1')
  const known = new Map(common.flatMap((each) => describeReasons(each, contracts)).map((reason) => [reason.name, reason]))
  const paths: Record<string, JsonObject> = {}
  const tags: JsonObject[] = []

  for (const service of contracts.services) {
    const routes = restRoutes(service)
    if (routes.length > 0) tags.push({ name: service.name, description: contracts.comment(service) })
    for (const route of routes) {
      const item = paths[templateOf(route)] ?? {}
      item[route.method.toLowerCase()] = operation(route, service, contracts, schemas, known)
      paths[templateOf(route)] = item
    }
  }

  return {
    openapi: '3.1.0',
    info: {
      title: 'Gatehouse',
      version,
      description:
        'Who exists, who is at the door, and what people are told. JSON is protobuf JSON with lowerCamelCase names; unknown members are refused. Every error is a code, a sentence and one google.rpc.ErrorInfo with the reason.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags,
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'An access token, as SignIn gives it.' },
      },
      headers: {
        TraceId: { description: 'Names the call in our logs.', schema: { type: 'string', pattern: '^[0-9a-f]{32}$' } },
      },
      responses: { Error: errorResponse('Anything else that went wrong.') },
      schemas: { ...sorted(schemas.components), Error: ERROR },
    },
  }
}

/** JSON names stand in the path too, so that a parameter has one name everywhere. */
function templateOf(route: RestRoute): string {
  return route.variables.reduce((path, field) => path.replace(`{${field.name}}`, `{${field.jsonName}}`), route.path)
}

function operation(route: RestRoute, service: DescService, contracts: Contracts, schemas: Schemas, known: Map<string, Reason>): JsonObject {
  const { rpc } = route
  const comment = contracts.comment(rpc)
  const open = getOption(rpc, access).public
  const rest = rpc.input.fields.filter((field) => !route.variables.includes(field))
  const parameters = [
    ...route.variables.map((field) => parameter(field, 'path', contracts, schemas)),
    ...(route.body ? [] : rest.map((field) => parameter(field, 'query', contracts, schemas))),
  ]
  return {
    operationId: `${rpc.name.charAt(0).toLowerCase()}${rpc.name.slice(1)}`,
    tags: [service.name],
    summary: comment.split(/[.;:](?: |$)/)[0] ?? '',
    description: [
      comment,
      `For ${describeAccess(rpc).join(', ')}.`,
      ...(describeStepUp(rpc) === '' ? [] : [`Needs ${describeStepUp(rpc)}.`]),
      ...describeLimits(rpc).map((limit) => `At most ${limit}.`),
    ].join('\n\n'),
    security: open ? [] : [{ bearer: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...(route.body && { requestBody: requestBody(route, rest, schemas) }),
    responses: {
      ...success(route, contracts, schemas),
      ...errors(route, contracts, known),
      default: { $ref: '#/components/responses/Error' },
    },
  }
}

function parameter(field: DescField, place: 'path' | 'query', contracts: Contracts, schemas: Schemas): JsonObject {
  const { description: _, ...schema } = schemas.field(field, 'request')
  return { name: field.jsonName, in: place, required: place === 'path', description: contracts.comment(field), schema }
}

function requestBody(route: RestRoute, rest: readonly DescField[], schemas: Schemas): JsonObject {
  const schema = route.variables.length === 0 ? schemas.refer(route.rpc.input, 'request') : schemas.body(route.rpc.input, route.variables)
  return { required: rest.length > 0, content: { 'application/json': { schema } } }
}

function success(route: RestRoute, contracts: Contracts, schemas: Schemas): JsonObject {
  const answer = route.answer?.message ?? route.rpc.output
  const place = { Location: { description: 'Where to read what was created.', schema: { type: 'string' } } }
  return {
    [route.status]: {
      description: contracts.comment(route.rpc.output),
      headers: { 'x-trace-id': TRACE, ...(route.location && place) },
      content: { 'application/json': { schema: schemas.refer(answer, 'response') } },
    },
  }
}

const ALWAYS = ['INVALID_REQUEST', 'MALFORMED_REQUEST', 'DEPENDENCY_UNAVAILABLE', 'OVERLOADED', 'REQUEST_TOO_LARGE']
const WITH_CREDENTIALS = ['CREDENTIALS_MISSING', 'ACCESS_TOKEN_INVALID', 'PERMISSION_DENIED', 'WRONG_TENANT']

function errors(route: RestRoute, contracts: Contracts, known: Map<string, Reason>): JsonObject {
  const { rpc } = route
  const has = (name: string) => rpc.input.fields.some((field) => field.name === name)
  const names = [
    ...ALWAYS,
    ...(getOption(rpc, access).public ? [] : WITH_CREDENTIALS),
    ...(getOption(rpc, limits).length > 0 ? ['LIMIT_EXCEEDED'] : []),
    ...(has('request_id') ? ['REQUEST_ID_REUSED'] : []),
    ...(has('etag') ? ['ETAG_MISMATCH'] : []),
    ...(has('page_token') ? ['PAGE_TOKEN_INVALID'] : []),
  ]
  const all = [...names.flatMap((name) => known.get(name) ?? []), ...reasonsOf(rpc, contracts)]
  const byStatus = Map.groupBy(all, ({ status }) => status)
  const statuses = [...byStatus].sort(([one], [other]) => one - other)
  return Object.fromEntries(statuses.map(([status, reasons]) => [status, errorResponse(reasons.map(lineOf).join('\n'))]))
}

function lineOf({ name, comment }: Reason): string {
  return `- \`${name}\`: ${comment}`
}

const TRACE: JsonValue = { $ref: '#/components/headers/TraceId' }

function errorResponse(description: string): JsonObject {
  return {
    description,
    headers: { 'x-trace-id': TRACE },
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
  }
}

const CODES = Object.values(Code).filter((code) => typeof code === 'number')

const ERROR: JsonObject = {
  type: 'object',
  description: 'An error of the Connect protocol.',
  required: ['code'],
  properties: {
    code: { type: 'string', description: 'Status code.', enum: CODES.map((code) => codeToString(code)) },
    message: { type: 'string', description: 'One sentence for people.' },
    details: {
      type: 'array',
      description:
        'One google.rpc.ErrorInfo; a google.rpc.BadRequest beside it where fields are wrong, a google.rpc.RetryInfo where it is worth coming back.',
      items: {
        type: 'object',
        required: ['type', 'value'],
        properties: {
          type: { type: 'string', description: 'Full name of the message.' },
          value: { type: 'string', description: 'The message as protobuf, in base64 without padding.' },
          debug: {
            type: 'object',
            description: 'The message as JSON: `reason`, `domain` and `metadata` of an ErrorInfo; `fieldViolations` of a BadRequest.',
          },
        },
      },
    },
  },
}

function sorted(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).sort(([one], [other]) => (one < other ? -1 : 1)))
}
