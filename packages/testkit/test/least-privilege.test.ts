import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type DescMethod, type DescService, getOption, hasOption } from '@bufbuild/protobuf'
import { AccountService } from '@gatehouse/contracts/gatehouse/auth/v1/account_service_pb'
import { ChallengeService } from '@gatehouse/contracts/gatehouse/auth/v1/challenge_service_pb'
import { FactorService } from '@gatehouse/contracts/gatehouse/auth/v1/factor_service_pb'
import { IssuerService } from '@gatehouse/contracts/gatehouse/auth/v1/issuer_service_pb'
import { PolicyService } from '@gatehouse/contracts/gatehouse/auth/v1/policy_service_pb'
import { ServiceAccountService } from '@gatehouse/contracts/gatehouse/auth/v1/service_account_service_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { WorkloadService } from '@gatehouse/contracts/gatehouse/auth/v1/workload_service_pb'
import { InboxService } from '@gatehouse/contracts/gatehouse/notification/v1/inbox_service_pb'
import { NotificationService } from '@gatehouse/contracts/gatehouse/notification/v1/notification_service_pb'
import { access } from '@gatehouse/contracts/gatehouse/options/v1/options_pb'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { compileAccess } from '@gatehouse/identity'

const root = join(import.meta.dirname, '../../..')
const house = ['user', 'auth', 'notification'] as const
const served: Readonly<Record<(typeof house)[number], readonly DescService[]>> = {
  user: [UserService],
  auth: [
    AccountService,
    ChallengeService,
    FactorService,
    IssuerService,
    PolicyService,
    ServiceAccountService,
    SessionService,
    WorkloadService,
  ],
  notification: [NotificationService, InboxService],
}

/** What every service but auth asks auth for, by code that they share. */
const shared = ['packages/service/src/follow-auth.ts', 'packages/identity/src/revocations.ts', 'packages/rpc/src/limit-overrides.ts']

function sourcesOf(service: string): string {
  const folder = join(root, 'services', service, 'src')
  const own = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => join(folder, file))
  const all = service === 'auth' ? own : [...own, ...shared.map((file) => join(root, file))]
  return all.map((file) => readFileSync(file, 'utf8')).join('\n')
}

const nameOf = (method: DescMethod) => `${method.parent.name}/${method.name}`
const named = (method: DescMethod, workload: string) => hasOption(method, access) && getOption(method, access).workloads.includes(workload)

for (const workload of house) {
  test(`${workload} may call what it calls, and nothing else`, () => {
    const source = sourcesOf(workload)
    const others = house.filter((each) => each !== workload).flatMap((each) => served[each].flatMap(({ methods }) => methods))
    // A call through a client; an operator's command shows the operator's token and no workload's.
    const calls = (method: DescMethod) => new RegExp(`(?<!operators)\\.${method.localName}\\(`).test(source)
    const called = others.filter(calls).map(nameOf)
    assert.deepEqual(others.filter((method) => named(method, workload)).map(nameOf), called)
    assert.ok(called.length > 0)
    const everyRegistration = { mayCall: () => true }
    for (const method of others) {
      if (compileAccess(method).public) continue
      const decision = compileAccess(method).decide({ workload }, undefined, everyRegistration)
      assert.equal(decision, called.includes(nameOf(method)) ? 'granted' : 'denied', nameOf(method))
    }
  })
}

test('nobody is named who is none of ours', () => {
  for (const method of Object.values(served).flatMap((services) => services.flatMap(({ methods }) => methods)))
    for (const workload of hasOption(method, access) ? getOption(method, access).workloads : [])
      assert.ok([...house, 'registered'].includes(workload), `${nameOf(method)}: ${workload}`)
})
