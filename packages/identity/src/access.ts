import { type DescMessage, type DescMethod, getOption, hasOption, type Message } from '@bufbuild/protobuf'
import { access } from '@gatehouse/contracts/gatehouse/options/v1/options_pb'
import { resource } from '@gatehouse/contracts/gatehouse/options/v1/resource_pb'
import type { Caller, Person } from './caller.ts'
import type { AskedResource } from './conditions/condition.ts'
import { type AccessDecider, claimsOnly } from './directory/access-directory.ts'
import { Strength, strongerOf } from './strength.ts'

/**
 * - `granted`: the call may go on;
 * - `own`: it may if the request names the caller, or a resource on which they may: ask {@link AccessRule.owns} once it is decoded;
 * - `missing`: there are no credentials, and they are needed;
 * - `denied`: no alternative can hold for this caller;
 * - `unknown`: the registry of workloads was never heard.
 */
export type AccessDecision = 'granted' | 'own' | 'missing' | 'denied' | 'unknown'

/** What other teams' workloads are registered for. */
export interface WorkloadRegistry {
  /** Whether the workload may call this RPC, by its full name; undefined while nobody could say. */
  mayCall(workload: string, rpc: string): boolean | undefined
}

/** What a sign-in would have to be. */
export interface LackingSignIn {
  readonly strength: Strength
  /** 0 where any age will do. */
  readonly maxAgeSeconds: number
}

/** The access option of one RPC, ready to be asked for each call. */
export interface AccessRule {
  /** Whether strangers may call. */
  readonly public: boolean
  /** Whether any alternative is for people; an RPC without one does not exist on the web door. */
  readonly forPeople: boolean
  /** Name of the permission that would be enough, for the refusal. */
  readonly permission: string
  /** `decider` knows who holds which permission; the claims of tokens alone unless given. Without a registry every workload that proved its name counts as registered. */
  decide(caller: Caller, decider?: AccessDecider, registry?: WorkloadRegistry): AccessDecision
  /** What the sign-in of the caller lacks for this RPC at `now`, in milliseconds since 1970; undefined where it is strong and fresh enough. */
  lacks(caller: Caller, now: number): LackingSignIn | undefined
  /** Whether the request names the person who calls, or a resource on which they hold the permission, after {@link decide} said `own`. */
  owns(caller: Caller, request: Message, decider?: AccessDecider): boolean
}

/** Our own three: they may call what the contract names them for, and are registered for nothing. */
export const houseWorkloads: ReadonlySet<string> = new Set(['user', 'auth', 'notification'])

/**
 * Reads the access option of an RPC.
 * @throws TypeError when the RPC declares none, or names a request field that does not exist: such a server must not start.
 */
export function compileAccess(method: DescMethod): AccessRule {
  const name = `${method.parent.typeName}/${method.name}`
  if (!hasOption(method, access)) throw new TypeError(`${name} declares no access`)
  const { public: open, signedIn, own, permission, workloads, stepUp } = getOption(method, access)
  const forPeople = open || signedIn || own !== '' || permission !== ''
  if (!forPeople && workloads.length === 0) throw new TypeError(`${name} declares an access without an alternative`)
  const ownField = own === '' ? undefined : requestField(method.input, own)
  const asked = stepUp && { strength: stepUp.strength, maxAgeSeconds: Number(stepUp.maxAge?.seconds ?? 0n) }
  if (asked && open) throw new TypeError(`${name} asks strangers for a step-up`)
  if (asked && asked.strength === Strength.UNSPECIFIED && asked.maxAgeSeconds <= 0)
    throw new TypeError(`${name} declares a step-up that asks for nothing`)
  const anyWorkload = workloads.includes('registered')
  const resourceOf = permission === '' ? undefined : resourceReader(method)

  function decidePerson(person: Person, decider: AccessDecider): AccessDecision {
    if (permission !== '' && decider.allows(person, permission)) return 'granted'
    if (person.kind === 'person') {
      if (signedIn) return 'granted'
      if (ownField) return 'own'
    }
    return resourceOf && decider.allowsSome(person, permission) ? 'own' : 'denied'
  }

  function owns(person: Person, request: Message, decider: AccessDecider): boolean {
    if (person.kind === 'person' && ownField !== undefined && ownField(request) === person.id) return true
    return resourceOf !== undefined && decider.allows(person, permission, resourceOf(request))
  }

  function decideWorkload(workload: string, registry: WorkloadRegistry | undefined): AccessDecision {
    if (workloads.includes(workload)) return 'granted'
    if (!anyWorkload || houseWorkloads.has(workload)) return 'denied'
    const registered = registry === undefined ? true : registry.mayCall(workload, name)
    if (registered === undefined) return 'unknown'
    return registered ? 'granted' : 'denied'
  }

  return {
    public: open,
    forPeople,
    permission,
    decide(caller, decider = claimsOnly, registry = undefined) {
      if (open) return 'granted'
      if (caller.workload === undefined) return caller.person ? decidePerson(caller.person, decider) : 'missing'
      const ofWorkload = decideWorkload(caller.workload, registry)
      // A workload that acts for a person adds nothing to what the person may.
      return ofWorkload === 'granted' && caller.person ? decidePerson(caller.person, decider) : ofWorkload
    },
    lacks(caller, now) {
      if (asked === undefined || caller.person?.kind !== 'person') return undefined
      const { strength, authTime, onTrustedDevice } = caller.person
      // However fresh, it has left out what a step-up is there to ask for.
      if (onTrustedDevice) return { ...asked, strength: strongerOf(asked.strength, Strength.TWO_FACTORS) }
      const isFresh = asked.maxAgeSeconds === 0 || now - authTime <= asked.maxAgeSeconds * 1000
      return strength >= asked.strength && isFresh ? undefined : asked
    },
    owns: (caller, request, decider = claimsOnly) => caller.person !== undefined && owns(caller.person, request, decider),
  }
}

/** Reads from a request which resource it is about; undefined where the contract does not say. */
function resourceReader(method: DescMethod): ((request: Message) => AskedResource) | undefined {
  if (!hasOption(method, resource)) return undefined
  const { type, field, owner } = getOption(method, resource)
  const id = requestField(method.input, field)
  const ownerId = owner === '' ? () => '' : requestField(method.input, owner)
  return (request) => ({ name: `${type}/${id(request)}`, owner: ownerId(request) })
}

/**
 * Reader of a scalar request field by its dotted path (`id`, `user.id`); what is not set reads as the empty text.
 * @throws TypeError when there is no such field.
 */
export function requestField(message: DescMessage, path: string): (request: Message) => string {
  const names: { local: string; oneof: string | undefined }[] = []
  let at: DescMessage | undefined = message
  for (const part of path.split('.')) {
    const field: DescMessage['fields'][number] | undefined = at?.fields.find((each) => each.name === part)
    if (!field) throw new TypeError(`${message.typeName} has no field ${path}`)
    names.push({ local: field.localName, oneof: field.oneof?.localName })
    at = field.message
  }
  return (request) => {
    let value: unknown = request
    for (const { local, oneof } of names) {
      if (typeof value !== 'object' || value === null) return ''
      const holder = value as Record<string, unknown>
      if (oneof === undefined) value = holder[local]
      else {
        const choice = holder[oneof] as { case?: string; value?: unknown } | undefined
        value = choice?.case === local ? choice.value : undefined
      }
    }
    return value === undefined || value === null ? '' : String(value)
  }
}
