import { type DescField, type DescMessage, getOption, isFieldSet, type JsonObject, type JsonValue, ScalarType } from '@bufbuild/protobuf'
import { FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt'
import { type FieldRules, field as fieldRules, Ignore, type StringRules, StringRulesSchema } from '../src/buf/validate/validate_pb.ts'
import { Sensitivity, sensitivity } from '../src/gatehouse/options/v1/options_pb.ts'
import type { Contracts } from './read-contracts.ts'

/** Whether a message is read or written: it decides which members have to be there. */
export type Direction = 'request' | 'response'

/** Collects the schemas that an OpenAPI document refers to. */
export interface Schemas {
  readonly components: JsonObject
  /** A reference to the schema of a message, which is made when it is first asked for. */
  refer(desc: DescMessage, direction: Direction): JsonObject
  /** The schema of a request whose fields in `elsewhere` stand in the path. */
  body(desc: DescMessage, elsewhere: readonly DescField[]): JsonObject
  /** The schema of one field, with the rules that can be said in JSON Schema. */
  field(field: DescField, direction: Direction): JsonObject
}

export function createSchemas(contracts: Contracts): Schemas {
  const components: JsonObject = {}

  function refer(desc: DescMessage, direction: Direction): JsonObject {
    if (components[desc.name] === undefined) {
      components[desc.name] = {} // A message may hold itself.
      components[desc.name] = object(desc, desc.fields, direction)
    }
    return { $ref: `#/components/schemas/${desc.name}` }
  }

  function object(desc: DescMessage, fields: readonly DescField[], direction: Direction): JsonObject {
    const required = fields.filter((each) => isRequired(each, direction)).map((each) => each.jsonName)
    return {
      type: 'object',
      description: contracts.comment(desc),
      properties: Object.fromEntries(fields.map((each) => [each.jsonName, field(each, direction)])),
      ...(required.length > 0 && { required }),
      // What is not known is refused.
      ...(direction === 'request' && { additionalProperties: false }),
    }
  }

  function field(desc: DescField, direction: Direction): JsonObject {
    const description = contracts.comment(desc)
    const secret = getOption(desc, sensitivity) === Sensitivity.SECRET ? { format: 'password' } : {}
    const rules = getOption(desc, fieldRules)
    switch (desc.fieldKind) {
      case 'scalar':
        return { description, ...scalar(desc.scalar), ...secret, ...scalarRules(rules) }
      case 'enum':
        return { description, ...enumeration(desc, contracts) }
      case 'message':
        return { description, ...message(desc.message, direction) }
      case 'map': {
        const values = desc.mapKind === 'scalar' ? scalar(desc.scalar) : desc.mapKind === 'message' ? message(desc.message, direction) : {}
        return { description, type: 'object', additionalProperties: values, ...mapRules(rules, values) }
      }
      case 'list': {
        const items =
          desc.listKind === 'scalar'
            ? scalar(desc.scalar)
            : desc.listKind === 'message'
              ? message(desc.message, direction)
              : enumeration(desc, contracts)
        return { description, type: 'array', ...listRules(rules, items) }
      }
    }
  }

  function message(desc: DescMessage, direction: Direction): JsonObject {
    return WELL_KNOWN[desc.typeName] ?? refer(desc, direction)
  }

  return {
    components,
    refer,
    field,
    body: (desc, elsewhere) =>
      object(
        desc,
        desc.fields.filter((each) => !elsewhere.includes(each)),
        'request',
      ),
  }
}

const WELL_KNOWN: Readonly<Record<string, JsonObject>> = {
  'google.protobuf.Timestamp': { type: 'string', format: 'date-time' },
  'google.protobuf.Duration': { type: 'string', pattern: '^-?[0-9]+(\\.[0-9]+)?s$' },
}

function scalar(type: ScalarType): JsonObject {
  switch (type) {
    case ScalarType.STRING:
      return { type: 'string' }
    case ScalarType.BOOL:
      return { type: 'boolean' }
    case ScalarType.INT32:
      return { type: 'integer', format: 'int32' }
    case ScalarType.INT64:
      return { type: 'string', format: 'int64', pattern: '^-?[0-9]+$' }
    default:
      throw new TypeError(`No JSON schema is written for the scalar type ${ScalarType[type]}`)
  }
}

function enumeration(desc: DescField & { enum: NonNullable<DescField['enum']> }, contracts: Contracts): JsonObject {
  const values = desc.enum.values.filter((value) => value.number !== 0)
  const lines = values.map((value) => `- \`${value.name}\`: ${contracts.comment(value)}`)
  return { type: 'string', enum: values.map((value) => value.name), description: `${contracts.comment(desc)}\n\n${lines.join('\n')}` }
}

/** In a request: what the rules do not let be empty. In a response: what is always written, because it has no presence of its own. */
function isRequired(desc: DescField, direction: Direction): boolean {
  if (desc.presence !== FeatureSet_FieldPresence.IMPLICIT) return false
  if (direction === 'response') return true
  const { ignore, type } = getOption(desc, fieldRules)
  if (ignore === Ignore.IF_ZERO_VALUE) return false
  if (type.case === 'repeated') return type.value.minItems > 0n
  return type.case === 'string' && !allowsEmpty(type.value)
}

function allowsEmpty(rules: StringRules): boolean {
  return rules.minLen === 0n && rules.wellKnown.case === undefined && new RegExp(rules.pattern).test('')
}

function scalarRules({ type }: FieldRules): JsonObject {
  if (type.case === 'string') return stringRules(type.value)
  if (type.case !== 'int32') return {}
  const { greaterThan, lessThan } = type.value
  return {
    ...(greaterThan.case === 'gte' && { minimum: greaterThan.value }),
    ...(greaterThan.case === 'gt' && { exclusiveMinimum: greaterThan.value }),
    ...(lessThan.case === 'lte' && { maximum: lessThan.value }),
    ...(lessThan.case === 'lt' && { exclusiveMaximum: lessThan.value }),
  }
}

function stringRules(rules: StringRules): JsonObject {
  const set = (name: 'minLen' | 'maxLen' | 'pattern') => isFieldSet(rules, StringRulesSchema.field[name])
  const { case: format, value } = rules.wellKnown
  return {
    ...(set('minLen') && { minLength: Number(rules.minLen) }),
    ...(set('maxLen') && { maxLength: Number(rules.maxLen) }),
    ...(set('pattern') && { pattern: rules.pattern }),
    ...((format === 'uuid' || format === 'email') && value && { format }),
  }
}

function listRules({ type }: FieldRules, items: JsonObject): JsonObject {
  if (type.case !== 'repeated') return { items }
  const { minItems, maxItems, unique, items: each } = type.value
  return {
    items: each ? { ...items, ...scalarRules(each) } : items,
    ...(minItems > 0n && { minItems: Number(minItems) }),
    ...(maxItems > 0n && { maxItems: Number(maxItems) }),
    ...(unique && { uniqueItems: true }),
  }
}

function mapRules({ type }: FieldRules, values: JsonObject): JsonObject {
  if (type.case !== 'map') return {}
  const { maxPairs, keys, values: each } = type.value
  const names: JsonValue | undefined = keys && scalarRules(keys)
  return {
    ...(maxPairs > 0n && { maxProperties: Number(maxPairs) }),
    ...(names !== undefined && { propertyNames: names }),
    ...(each && { additionalProperties: { ...values, ...scalarRules(each) } }),
  }
}
