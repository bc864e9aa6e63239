import { fromJsonString, toJsonString } from '@bufbuild/protobuf'
import { type Command, CommandFailed, CommandProblem } from '@gatehouse/cli'
import { PolicySchema } from '@gatehouse/contracts/gatehouse/auth/v1/policy_pb'
import { type UpdatePolicyRequest, UpdatePolicyRequestSchema } from '@gatehouse/contracts/gatehouse/auth/v1/policy_service_pb'
import { compileRequestCheck, Refusal } from '@gatehouse/rpc'
import { print } from '@gatehouse/service'
import { policyOf, type WholePolicy } from './core/policies/policy-of.ts'
import { updatePolicy } from './core/policies/update-policy.ts'
import { defaultTenant } from './core/tenants/create-tenant.ts'
import { none, operated } from './operated.ts'

/** What an operator does with policies. */
export const policyCommands: readonly Command[] = [
  {
    name: 'policy show',
    usage: '[--tenant ID]',
    summary: 'prints what a tenant asks of sign-ins, as JSON',
    run: operated(async ({ deps }, words, { tenant = defaultTenant }) => {
      none(words)
      show(await policyOf(deps, tenant))
    }),
  },
  {
    name: 'policy set',
    usage: 'JSON [--tenant ID]',
    summary: `changes what is given, such as '{"passwordMinLength": 20}', within the bounds of the contract, and prints the whole`,
    run: operated(async ({ deps }, words, { tenant = defaultTenant }) => {
      const change = changeOf(words)
      try {
        show(await updatePolicy(deps, { ...change, tenant }))
      } catch (error) {
        if (error instanceof Refusal && error.reason === 'POLICY_OUT_OF_BOUNDS') throw new CommandProblem(inWords(error))
        if (error instanceof Refusal && error.reason === 'ETAG_MISMATCH') throw new CommandFailed('The policy has another etag by now.')
        throw error
      }
    }),
  },
]

const problems: string[] = []
const check = compileRequestCheck(UpdatePolicyRequestSchema, problems)

function changeOf([json, ...more]: readonly string[]): UpdatePolicyRequest {
  if (json === undefined || more.length > 0) throw new CommandProblem(`Change what? gatehouse policy set '{"passwordMinLength": 20}'`)
  let change: UpdatePolicyRequest
  try {
    change = fromJsonString(UpdatePolicyRequestSchema, json)
  } catch (error) {
    throw new CommandProblem(`This is no UpdatePolicyRequest: ${error instanceof Error ? error.message : String(error)}`)
  }
  try {
    check(change)
  } catch (error) {
    throw error instanceof Refusal ? new CommandProblem(inWords(error)) : error
  }
  return change
}

function inWords({ message, violations, metadata }: Refusal): string {
  const said = violations.map(({ field, description }) => [field, description].filter(Boolean).join(': '))
  return [message, ...(said.length > 0 ? said : [metadata.rule ?? ''])].join(' ')
}

function show(policy: WholePolicy): void {
  print(toJsonString(PolicySchema, policy, { prettySpaces: 2, alwaysEmitImplicit: true }))
}
