import { type DescEnum, type DescEnumValue, type DescMethod, getOption } from '@bufbuild/protobuf'
import { protoCamelCase } from '@bufbuild/protobuf/reflect'
import { type Duration, MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt'
import type { Code } from '@connectrpc/connect'
import { codeToString } from '@connectrpc/connect/protocol-connect'
import { httpStatus } from '../../rpc/src/web/http-status.ts'
import { access, type Limit, Limit_By, limits, reasons, refusal, Strength } from '../src/gatehouse/options/v1/options_pb.ts'
import { resource } from '../src/gatehouse/options/v1/resource_pb.ts'
import type { Contracts } from './read-contracts.ts'

/** A reason of an `ErrorReason` enum, as it looks on the wire. */
export interface Reason {
  readonly name: string
  readonly domain: string
  readonly code: string
  /** HTTP status on the web door. */
  readonly status: number
  readonly sentence: string
  readonly comment: string
}

const PREFIX = 'ERROR_REASON_'

export function describeReasons(desc: DescEnum, contracts: Contracts): Reason[] {
  return desc.values.filter((value) => value.number !== 0).map((value) => describeReason(value, contracts))
}

function describeReason(value: DescEnumValue, contracts: Contracts): Reason {
  const { code, message, field } = getOption(value, refusal)
  const service = value.parent.file.proto.package.split('.')[1] ?? ''
  const name = value.name.slice(PREFIX.length)
  return {
    name,
    domain: service === 'options' ? 'gatehouse' : `${service}.gatehouse`,
    code: codeToString(code as Code),
    status: httpStatus(code as Code, name),
    sentence: message,
    comment: [contracts.comment(value), ...(field === '' ? [] : [`\`google.rpc.BadRequest\` names \`${protoCamelCase(field)}\`.`])].join(
      ' ',
    ),
  }
}

/** The reasons that an RPC declares. */
export function reasonsOf(rpc: DescMethod, contracts: Contracts): Reason[] {
  const own = contracts.reasons.find((each) => each.file.proto.package === rpc.parent.file.proto.package)
  const known = own ? describeReasons(own, contracts) : []
  return getOption(rpc, reasons).map((name) => {
    const reason = known.find((each) => each.name === name)
    if (!reason) throw new TypeError(`${rpc.parent.typeName}/${rpc.name} declares the reason ${name}, which its package does not have`)
    return reason
  })
}

/** Who may call, each alternative as a phrase. */
export function describeAccess(rpc: DescMethod): string[] {
  const rule = getOption(rpc, access)
  return [
    ...(rule.public ? ['everybody'] : []),
    ...(rule.signedIn ? ['every signed-in person'] : []),
    ...(rule.own === '' ? [] : [`the person whose id is \`${rule.own}\``]),
    ...(rule.permission === '' ? [] : [`whoever holds \`${rule.permission}\`${describeResource(rpc)}`]),
    ...rule.workloads.map((name) => (name === 'registered' ? 'every registered workload' : `the workload \`${name}\``)),
  ]
}

const strengths: ReadonlyMap<number, string> = new Map([
  [Strength.TWO_FACTORS, 'of two factors'],
  [Strength.PHISHING_RESISTANT, 'by a passkey'],
])

/** What the sign-in of a person has to be for it; empty where any will do. */
export function describeStepUp(rpc: DescMethod): string {
  const { stepUp } = getOption(rpc, access)
  if (stepUp === undefined) return ''
  const age = stepUp.maxAge === undefined ? '' : `no older than ${describeWindow(stepUp.maxAge)}`
  return ['a sign-in', strengths.get(stepUp.strength) ?? '', age].filter((part) => part !== '').join(' ')
}

/** On which resource it is enough to hold the permission. */
function describeResource(rpc: DescMethod): string {
  const { type, field } = getOption(rpc, resource)
  return type === '' ? '' : `, on everything or on \`${type}/{${field}}\``
}

/** How often, each limit as a phrase. */
export function describeLimits(rpc: DescMethod): string[] {
  return getOption(rpc, limits).map((limit) => {
    const silent = limit.silent ? ', beyond which the answer stays the same and nothing happens' : ''
    return `${limit.count} in ${describeWindow(limit.window)} for each ${describeBy(limit)}${silent}`
  })
}

function describeBy(limit: Limit): string {
  if (limit.by === Limit_By.FIELD) return `value of \`${limit.field}\``
  return limit.by === Limit_By.CALLER ? 'caller' : 'source address'
}

function describeWindow(window: Duration | undefined): string {
  const seconds = Number(window?.seconds ?? 0n)
  const [count, unit] =
    seconds % 3600 === 0 ? [seconds / 3600, 'hour'] : seconds % 60 === 0 ? [seconds / 60, 'minute'] : [seconds, 'second']
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

export function describeIdempotency(rpc: DescMethod): string {
  if (rpc.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS) return 'changes nothing'
  return rpc.idempotency === MethodOptions_IdempotencyLevel.IDEMPOTENT ? 'safe to repeat' : 'not safe to repeat'
}
