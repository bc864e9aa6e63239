import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Pushed, versionTags } from './release.ts'

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`
const user: Pushed = { repository: 'ghcr.io/acme/user', name: '@gatehouse/user-service', version: '1.2.0', digest }
const auth: Pushed = { ...user, repository: 'ghcr.io/acme/auth', name: '@gatehouse/auth-service', version: '2.0.0' }
const nowhere = () => false

test('a commit that releases one service gives that image its version, and the others nothing', async () => {
  assert.deepEqual(await versionTags([user, auth], ['@gatehouse/user-service@1.2.0', '@gatehouse/web@3.0.0'], nowhere), [
    { tag: 'ghcr.io/acme/user:1.2.0', digest: `ghcr.io/acme/user@${digest}` },
  ])
})

test('a commit that releases nothing gives no version, whatever stands in the package', async () => {
  assert.deepEqual(await versionTags([user, auth], [], nowhere), [])
  assert.deepEqual(await versionTags([user], ['@gatehouse/user-service@1.1.0'], nowhere), [])
})

test('a version that the registry has is never moved', async () => {
  const asked: string[] = []
  const isThere = (tag: string) => asked.push(tag) > 0
  assert.deepEqual(await versionTags([user], ['@gatehouse/user-service@1.2.0'], isThere), [])
  assert.deepEqual(asked, ['ghcr.io/acme/user:1.2.0'])
})

test('what is no digest gets no version', async () => {
  await assert.rejects(versionTags([{ ...user, digest: '' }], [], nowhere), /is no digest of ghcr\.io\/acme\/user/)
})
