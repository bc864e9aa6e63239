import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import {
  addWorkloadKey,
  createWorkloadSigner,
  createWorkloadVerifier,
  listWorkloadKeys,
  retireWorkloadKey,
  rotateWorkloadKey,
  TokenInvalid,
  WorkloadKeysRefused,
} from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'workload-key-files-'))
after(() => rmSync(folder, { recursive: true }))

let counter = 0
function place() {
  const jwksFile = join(folder, `${++counter}-jwks.json`)
  const filesOf = (name: string) => ({ jwksFile, keyFile: join(folder, `${counter}-${name}.json`) })
  const kids = async () => (await listWorkloadKeys(jwksFile)).map(({ kid }) => kid)
  return { jwksFile, filesOf, kids }
}
const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8)

test('a rotated key is believed at once, and the one before it until it is retired', async () => {
  const { jwksFile, filesOf, kids } = place()
  const files = filesOf('billing')
  const first = await addWorkloadKey('billing', files)
  const verifier = createWorkloadVerifier({ self: 'auth', jwksFile, intervalMs: 0 })
  const [before] = [await createWorkloadSigner(files.keyFile)]
  const old = await before.tokenFor('auth')
  assert.equal(await verifier.verify(old), 'billing')

  const rotated = await rotateWorkloadKey(files)
  assert.deepEqual([rotated.workload, rotated.old, await kids()], ['billing', first, [first, rotated.kid]])
  const fresh = await (await createWorkloadSigner(files.keyFile)).tokenFor('auth')
  assert.deepEqual([await verifier.verify(fresh), await verifier.verify(old)], ['billing', 'billing'])

  assert.equal(await retireWorkloadKey(jwksFile, first), 'billing')
  await assert.rejects(verifier.verify(old), TokenInvalid)
  assert.equal(await verifier.verify(fresh), 'billing')
})

test('the private half is for its owner alone, the public one for all, and neither file is a draft', async () => {
  const { jwksFile, filesOf } = place()
  const files = filesOf('billing')
  await addWorkloadKey('billing', files)
  assert.deepEqual([modeOf(files.keyFile), modeOf(jwksFile)], ['600', '644'])
  await rotateWorkloadKey(files)
  assert.deepEqual([modeOf(files.keyFile), modeOf(jwksFile)], ['600', '644'])
  // A workload that reads its key as a member of the file's group goes on; the rest of the world never does.
  chmodSync(files.keyFile, 0o644)
  await rotateWorkloadKey(files)
  assert.equal(modeOf(files.keyFile), '640')
  assert.ok(!readFileSync(jwksFile, 'utf8').includes('"d"'))
  assert.deepEqual(
    readdirSync(folder).filter((file) => /\.(new|lock)$/.test(file)),
    [],
  )
})

test('what is there is not overwritten, and a file that is linked to stays where it is', async () => {
  const { jwksFile, filesOf, kids } = place()
  const files = filesOf('billing')
  const kid = await addWorkloadKey('billing', files)
  await assert.rejects(addWorkloadKey('billing', files), WorkloadKeysRefused)
  assert.deepEqual(await kids(), [kid])
  const linked = join(folder, 'linked.json')
  symlinkSync(jwksFile, linked)
  await rotateWorkloadKey({ ...files, jwksFile: linked })
  assert.equal((await kids()).length, 2)
})

test('two commands at once lose no key: one is done, or told to wait', async () => {
  const { filesOf, kids } = place()
  await addWorkloadKey('first', filesOf('first'))
  const names = ['a', 'b', 'c', 'd']
  const done = await Promise.allSettled(names.map((name) => addWorkloadKey(name, filesOf(name))))
  for (const each of done) assert.ok(each.status === 'fulfilled' || each.reason instanceof WorkloadKeysRefused)
  assert.equal((await kids()).length, 1 + done.filter(({ status }) => status === 'fulfilled').length)
})

test('files that are not what they should be are left as they are', async () => {
  const { jwksFile, filesOf } = place()
  const files = filesOf('billing')
  const kid = await addWorkloadKey('billing', files)
  await assert.rejects(retireWorkloadKey(jwksFile, kid), /only key of billing/)
  await assert.rejects(retireWorkloadKey(jwksFile, 'another'), WorkloadKeysRefused)
  for (const name of ['', 'registered', 'No', '1st', '../x', 'a b'])
    await assert.rejects(addWorkloadKey(name, filesOf('new')), WorkloadKeysRefused)
  const other = place()
  await addWorkloadKey('user', other.filesOf('user'))
  await assert.rejects(rotateWorkloadKey({ ...files, jwksFile: other.jwksFile }), /does not know the key/)
  const present = readFileSync(files.keyFile, 'utf8')
  for (const bad of ['half a fi', '{}', JSON.stringify({ keys: [JSON.parse(present)] })]) {
    writeFileSync(jwksFile, bad)
    await assert.rejects(rotateWorkloadKey(files), (error) => error instanceof WorkloadKeysRefused && !error.message.includes('half a fi'))
    assert.equal(readFileSync(jwksFile, 'utf8'), bad)
  }
  assert.equal(readFileSync(files.keyFile, 'utf8'), present)
  assert.equal(await retireWorkloadKey(other.jwksFile, (await listWorkloadKeys(other.jwksFile))[0]?.kid ?? '', { last: true }), 'user')
})
