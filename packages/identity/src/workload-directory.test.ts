import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { compileAccess, followWorkloads, keyFileIssuer, type RegistryAnswer } from './index.ts'

const getUser = 'gatehouse.user.v1.UserService/GetUser'
const billing = { name: 'billing', issuer: 'k8s', subject: 'system:serviceaccount:shop:billing', audience: 'gatehouse', calls: [getUser] }
const shop = { name: 'shop', issuer: keyFileIssuer, subject: 'shop', audience: '', calls: ['gatehouse.user.v1.UserService'] }

/** A directory that is told what the test says, every few milliseconds. */
function follow(unregistered: 'allow' | 'refuse') {
  const auth = { away: false, version: 1, workloads: [billing, shop], wholes: 0, looks: 0 }
  const admitted: string[] = []
  const directory = followWorkloads(
    async (version): Promise<RegistryAnswer> => {
      auth.looks++
      if (auth.away) throw new Error('auth is away')
      if (version === String(auth.version)) return { version, unchanged: true, workloads: [] }
      auth.wholes++
      return { version: String(auth.version), unchanged: false, workloads: [...auth.workloads] }
    },
    { unregistered, intervalMs: 5, onUnregistered: (name) => void admitted.push(name) },
  )
  const looked = async (times = 2) => {
    for (const end = auth.looks + times; auth.looks < end; ) await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return { auth, admitted, directory, looked }
}

test('a workload may call what it is registered for: an RPC, or all of a service', async () => {
  const { directory } = follow('refuse')
  await directory.ready
  assert.equal(directory.mayCall('billing', getUser), true)
  assert.equal(directory.mayCall('billing', 'gatehouse.user.v1.UserService/WatchUsers'), false)
  assert.equal(directory.mayCall('shop', 'gatehouse.user.v1.UserService/WatchUsers'), true)
  assert.equal(directory.mayCall('shop', 'gatehouse.user.v1.UserServiceX/WatchUsers'), false)
  assert.equal(directory.mayCall('nobody', getUser), false)
  assert.equal(directory.find('k8s', billing.subject)?.name, 'billing')
  assert.equal(directory.find('other', billing.subject), undefined)
  assert.ok(!directory.mayProve('billing', keyFileIssuer), 'a key file proves no name that is registered with a cluster')
  assert.ok(directory.mayProve('shop', keyFileIssuer) && directory.mayProve('new', keyFileIssuer))
  await directory[Symbol.asyncDispose]()
})

test('a change is followed, an unchanged registry is not told again, and whoever is known stays while auth is away', async () => {
  const { auth, directory, looked } = follow('refuse')
  await directory.ready
  await looked(5)
  assert.equal(auth.wholes, 1)
  auth.workloads = [shop]
  auth.version = 2
  await looked()
  assert.equal(directory.mayCall('billing', getUser), false)
  auth.away = true
  await looked()
  assert.equal(directory.mayCall('shop', getUser), true)
  await directory[Symbol.asyncDispose]()
})

test('before the first word nobody is refused for good; where it is allowed the unregistered call as before, and are told once', async () => {
  const never = followWorkloads(() => Promise.reject(new Error('away')), { unregistered: 'refuse' })
  const rule = compileAccess(UserService.method.getUser)
  assert.equal(never.mayCall('billing', getUser), undefined)
  assert.equal(rule.decide({ workload: 'billing' }, undefined, never), 'unknown')
  await never[Symbol.asyncDispose]()
  const { admitted, directory } = follow('allow')
  await directory.ready
  for (let time = 0; time < 3; time++) assert.equal(rule.decide({ workload: 'example' }, undefined, directory), 'granted')
  assert.deepEqual(admitted, ['example'])
  assert.equal(compileAccess(UserService.method.watchUsers).decide({ workload: 'billing' }, undefined, directory), 'denied')
  await directory[Symbol.asyncDispose]()
})

test('beside an auth of the release before, which has no registry, it is as it was; a registry that was known stays', async () => {
  const unimplemented = Object.assign(new Error('no such method'), { code: 12 })
  let answer: () => Promise<RegistryAnswer> = () => Promise.reject(unimplemented)
  const directory = followWorkloads(() => answer(), { unregistered: 'refuse', intervalMs: 5 })
  await directory.ready
  assert.equal(directory.mayCall('billing', getUser), true)
  answer = async () => ({ version: '1', unchanged: false, workloads: [shop] })
  while (directory.mayCall('billing', getUser)) await new Promise((resolve) => setTimeout(resolve, 2))
  answer = () => Promise.reject(unimplemented)
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(directory.mayCall('billing', getUser), false)
  await directory[Symbol.asyncDispose]()
})

test('our own workloads are registered for nothing: the contract names what they call', () => {
  const all = { mayCall: () => true }
  for (const workload of ['user', 'auth', 'notification']) {
    assert.equal(compileAccess(UserService.method.watchUsers).decide({ workload }, undefined, all), 'denied', workload)
    assert.equal(compileAccess(UserService.method.getUser).decide({ workload }), 'denied', workload)
  }
  assert.equal(compileAccess(UserService.method.batchGetUsers).decide({ workload: 'notification' }, undefined, all), 'granted')
})
