import { celEnv, celMap, parse, plan } from '@bufbuild/cel'
import { create } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { type AccessFact, AccessFactSchema, BindingSchema, SubjectKind } from '@gatehouse/contracts/gatehouse/auth/v1/access_pb'
import { AccessModel, createAccessDirectory, type Person } from '@gatehouse/identity'
import { answerParent, type CommonActs } from './answer-parent.ts'

/** Decides who may do what as our doors do, and as somebody would who knows nothing but the answer. */
export interface AccessChecksActs extends CommonActs {
  /** Binds roles to so many people. */
  prepare(people: number): Promise<void>
  /** Decisions a second, one after the other; half of them are no. */
  run(order: { readonly side: Side; readonly seconds: number }): Promise<number>
}

type Side = 'role' | 'condition' | 'bare set' | 'bare condition'

const tenant = 'default'
const [held, missing] = ['user.users.read', 'user.users.delete']
const condition = 'resource.owner == principal.id && request.time < timestamp("2100-01-01T00:00:00Z")'
const directory = createAccessDirectory()
const people: Person[] = []
const sets = new Map<string, ReadonlySet<string>>()

answerParent<Omit<AccessChecksActs, 'usage'>>({
  async prepare(count) {
    const model = new AccessModel()
    const permissions = Array.from({ length: 19 }, (_, n) => `service-${n}.things.read`)
    model.apply(fact({ case: 'role', value: { name: 'reader', permissions: [...permissions, held] } }))
    model.apply(fact({ case: 'role', value: { name: 'owner', permissions: ['document.documents.read'] } }))
    for (let number = 0; number < count; number++) {
      const id = crypto.randomUUID()
      people.push({
        kind: 'person',
        id,
        tenant,
        sessionId: '',
        generation: 0,
        strength: 1,
        authTime: 0,
        clientId: '',
        permissions: new Set(),
        expireTime: 0,
      })
      sets.set(`${tenant} ${id}`, new Set([...permissions, held]))
      model.apply(binding(id, 'reader'))
      model.apply(binding(id, 'owner', condition))
    }
    directory.replace(model)
  },
  async run({ side, seconds }) {
    const decide = deciders[side]
    const end = performance.now() + seconds * 1000
    const began = performance.now()
    let count = 0
    for (; ; count++) {
      if (count % 64 === 0) {
        // What the stream of auth does each second.
        directory.heard(Date.now())
        if (performance.now() >= end) break
      }
      const expected = count % 2 === 0
      if (decide(people[count % people.length] as Person, expected) !== expected) throw new Error(`${side} decided wrongly`)
    }
    return (count / (performance.now() - began)) * 1000
  },
})

const evaluate = plan(celEnv(), parse(condition))

/** Each is asked what is to be answered with yes, or what is to be answered with no. */
const deciders: Readonly<Record<Side, (person: Person, yes: boolean) => boolean>> = {
  role: (person, yes) => directory.allows(person, yes ? held : missing),
  condition: (person, yes) =>
    directory.allows(person, 'document.documents.read', { name: 'document/7', owner: yes ? person.id : 'somebody else' }),
  'bare set': (person, yes) => sets.get(`${person.tenant} ${person.id}`)?.has(yes ? held : missing) ?? false,
  'bare condition': (person, yes) =>
    evaluate({
      principal: celMap(new Map([['id', person.id]])),
      resource: celMap(new Map([['owner', yes ? person.id : 'somebody else']])),
      request: celMap(new Map([['time', timestampFromMs(Date.now())]])),
    }) === true,
}

function fact(what: AccessFact['fact'] | { readonly case: 'role'; readonly value: { name: string; permissions: string[] } }): AccessFact {
  return create(AccessFactSchema, { tenant, fact: what as AccessFact['fact'] })
}

function binding(id: string, role: string, under = ''): AccessFact {
  const subject = { kind: SubjectKind.PERSON, id }
  return fact({ case: 'binding', value: create(BindingSchema, { id: crypto.randomUUID(), role, subject, condition: under }) })
}
