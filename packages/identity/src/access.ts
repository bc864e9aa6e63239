import { type DescMessage, type DescMethod, getOption, hasOption, type Message } from '@bufbuild/protobuf'
import { access } from '@gatehouse/contracts/gatehouse/options/v1/options_pb'
import type { Caller } from './caller.ts'
import { Strength } from './strength.ts'

/**
 * - `granted`: the call may go on;
 * - `own`: it may if the request names the caller: ask {@link AccessRule.owns} once it is decoded;
 * - `missing`: there are no credentials, and they are needed;
 * - `denied`: no alternative can hold for this caller.
 */
export type AccessDecision = 'granted' | 'own' | 'missing' | 'denied'

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
  decide(caller: Caller): AccessDecision
  /** What the sign-in of the caller lacks for this RPC at `now`, in milliseconds since 1970; undefined where it is strong and fresh enough. */
  lacks(caller: Caller, now: number): LackingSignIn | undefined
  /** Whether the request names the person who calls, after {@link decide} said `own`. */
  owns(caller: Caller, request: Message): boolean
}

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

  function decidePerson(caller: Caller): AccessDecision {
    const person = caller.person
    if (!person) return 'denied'
    if (permission !== '' && person.permissions.has(permission)) return 'granted'
    if (person.kind !== 'person') return 'denied'
    if (signedIn) return 'granted'
    return ownField ? 'own' : 'denied'
  }

  return {
    public: open,
    forPeople,
    permission,
    decide(caller) {
      if (open) return 'granted'
      if (caller.workload === undefined) return caller.person ? decidePerson(caller) : 'missing'
      if (!anyWorkload && !workloads.includes(caller.workload)) return 'denied'
      // A workload that acts for a person adds nothing to what the person may.
      return caller.person ? decidePerson(caller) : 'granted'
    },
    lacks(caller, now) {
      if (asked === undefined || caller.person?.kind !== 'person') return undefined
      const { strength, authTime } = caller.person
      const isFresh = asked.maxAgeSeconds === 0 || now - authTime <= asked.maxAgeSeconds * 1000
      return strength >= asked.strength && isFresh ? undefined : asked
    },
    owns: (caller, request) => ownField !== undefined && caller.person !== undefined && ownField(request) === caller.person.id,
  }
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
