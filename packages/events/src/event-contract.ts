import { type DescField, type DescMessage, getOption, hasOption } from '@bufbuild/protobuf'
import { event as eventOption } from '@gatehouse/contracts/gatehouse/options/v1/options_pb'

/** What the contract says about an event message. */
export type EventContract = {
  /** Full name of the message: the `ce-type`. */
  readonly type: string
  /** Subject without the tenant. */
  readonly subject: string
  /** The service that tells it, from its package `gatehouse.<service>.v1`. */
  readonly service: string
  readonly keyField: DescField
}

const contracts = new WeakMap<DescMessage, EventContract>()

/** Reads the `event` option. Throws TypeError for a message that is no event. */
export function eventContract(schema: DescMessage): EventContract {
  const known = contracts.get(schema)
  if (known !== undefined) return known
  if (!hasOption(schema, eventOption)) throw new TypeError(`${schema.typeName} is not declared as an event`)
  const { subject, key } = getOption(schema, eventOption)
  const service = /^gatehouse\.([a-z]+)\.v\d+\.\w+$/.exec(subject)?.[1]
  if (service === undefined || subject !== schema.typeName) throw new TypeError(`${schema.typeName} declares the subject "${subject}"`)
  const keyField = schema.fields.find((field) => field.name === key)
  if (keyField?.fieldKind !== 'scalar') throw new TypeError(`${schema.typeName} declares the key "${key}", which is no scalar field`)
  const contract = { type: schema.typeName, subject, service, keyField }
  contracts.set(schema, contract)
  return contract
}

/** A tenant's id is one token of a subject. Throws TypeError for anything else. */
export function subjectOf(subject: string, tenant: string): string {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(tenant)) throw new TypeError(`"${tenant}" is not a tenant's id`)
  return `${subject}.${tenant}`
}
