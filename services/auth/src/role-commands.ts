import { type Command, CommandFailed, CommandProblem } from '@gatehouse/cli'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { canonicalEmail } from '@gatehouse/rpc'
import { print } from '@gatehouse/service'
import { validate as isUuid } from 'uuid'
import type { AccessDeps } from './core/access/change-access.ts'
import type { SubjectKey } from './core/access/find-subject.ts'
import { createBinding } from './core/bindings/create-binding.ts'
import { deleteBinding } from './core/bindings/delete-binding.ts'
import { listBindings } from './core/bindings/list-bindings.ts'
import { resolvePerson } from './core/people/resolve-person.ts'
import { listRoles } from './core/roles/list-roles.ts'
import { defaultTenant } from './core/tenants/create-tenant.ts'
import { operated } from './operated.ts'
import type { Operator } from './operator.ts'
import type { BindingRow } from './store/bindings.ts'
import { findGroup } from './store/groups.ts'
import { serviceAccountExists } from './store/service-accounts.ts'

const page = { pageSize: 200, pageToken: '' }

/** What an operator does about who may do what: whoever holds the database's credentials gives what they like, and cannot take the last administrator away. */
export const roleCommands: readonly Command[] = [
  {
    name: 'roles list',
    usage: '[--tenant ID]',
    summary: 'lists the roles and who has them: role, subject, resource, condition, end, id of the binding',
    run: operated(async ({ deps }, words, { tenant = defaultTenant }) => {
      if (words.length > 0) throw new CommandProblem(`What is "${words[0]}"? A tenant is named with --tenant ID.`)
      for (let pageToken: string | undefined = ''; pageToken !== undefined; ) {
        const { roles, nextPageToken } = await listRoles(deps, { ...page, tenant, pageToken })
        for (const { name, permissions } of roles) print(`${name}\t${permissions.length} permissions`)
        pageToken = nextPageToken || undefined
      }
      for await (const binding of bindingsOf(deps, { tenant })) print(lineOf(binding))
    }),
  },
  {
    name: 'roles bind',
    usage: 'ROLE SUBJECT [--resource TYPE/ID] [--condition CEL] [--tenant ID]',
    summary: 'gives a role to somebody: an e-mail address, or the id of a person, a service account or a group; the services have to run',
    run: operated(async ({ deps }, words, { tenant = defaultTenant, resource = '', condition = '' }) => {
      const [role, subject] = two(words)
      const binding = await createBinding(asOperator(deps), {
        tenant,
        granter: 'operator',
        role,
        subject: await subjectOf(deps, tenant, subject),
        resource,
        condition,
        expireTime: null,
        request: { requestId: '', caller: 'operator', method: 'roles bind', fingerprint: '' },
      })
      print(lineOf(binding))
    }),
  },
  {
    name: 'roles unbind',
    usage: 'ROLE SUBJECT [--tenant ID]',
    summary: 'takes a role from somebody, on whatever they have it; the last administrator stays; the services have to run',
    run: operated(async ({ deps }, words, { tenant = defaultTenant }) => {
      const [role, subject] = two(words)
      const { id: subjectId } = await subjectOf(deps, tenant, subject)
      let count = 0
      for await (const { id } of bindingsOf(deps, { tenant, role, subjectId })) {
        print(`${lineOf(await deleteBinding(asOperator(deps), { tenant, id }))}\tis taken away`)
        count++
      }
      if (count === 0) throw new CommandFailed(`${subject} does not have the role ${role}: gatehouse roles list`)
    }),
  },
]

function two(words: readonly string[]): [string, string] {
  const [role, subject, ...more] = words
  if (role === undefined || subject === undefined || more.length > 0)
    throw new CommandProblem('This command takes a role, and an e-mail address or the id of a person, a service account or a group.')
  return [role, subject]
}

/** The running services' feeds find the change at their next poll. */
const asOperator = (deps: Operator['deps']): AccessDeps => ({ ...deps, accessChanged: async () => {} })

async function subjectOf(deps: Operator['deps'], tenant: string, word: string): Promise<SubjectKey> {
  const id = word.toLowerCase()
  if (isUuid(id)) {
    if (await findGroup(deps.db, { tenant, id })) return { kind: 'group', id }
    return { kind: (await serviceAccountExists(deps.db, { tenant, id })) ? 'service_account' : 'person', id }
  }
  const email = canonicalEmail(word)
  if (email === undefined) throw new CommandProblem(`${word} is neither an e-mail address nor an id.`)
  const user = await resolvePerson(deps, { tenant, by: { case: 'email', value: email } })
  if (user === undefined || user.state === User_State.DELETED) throw new CommandProblem(`Nobody in ${tenant} has the address ${email}.`)
  return { kind: 'person', id: user.id }
}

async function* bindingsOf(
  deps: Operator['deps'],
  which: { tenant: string; role?: string; subjectId?: string },
): AsyncGenerator<BindingRow> {
  for (let pageToken: string | undefined = ''; pageToken !== undefined; ) {
    const { rows, nextPageToken } = await listBindings(deps, { role: '', subjectId: '', ...which, ...page, pageToken })
    yield* rows
    pageToken = nextPageToken || undefined
  }
}

function lineOf({ role, subject_kind, subject_id, resource, condition, expire_time, id }: BindingRow): string {
  return [role, `${subject_kind} ${subject_id}`, resource || '-', condition || '-', expire_time?.toISOString() ?? '-', id].join('\t')
}
