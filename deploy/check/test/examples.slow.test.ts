import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { programForTest } from '@gatehouse/testkit'
import { parseManifests } from '../src/manifests.ts'
import { problemsOf } from '../src/schema.ts'

const root = join(import.meta.dirname, '../../..')

test('kustomize builds what stands around Gatehouse', async (t) => {
  const kustomize = await programForTest(t, 'kustomize')
  if (!kustomize) return
  const folders = globSync('deploy/{nats,postgres,examples/*}/kustomization.yaml', { cwd: root }).map((file) => dirname(file))
  assert.ok(folders.length >= 7)
  for (const folder of folders) {
    const built = parseManifests(execFileSync(kustomize.path, ['build', join(root, folder)]).toString(), folder)
    assert.ok(built.length > 0, folder)
    for (const manifest of built) assert.deepEqual(await problemsOf(manifest), [], `${folder} ${manifest.kind} ${manifest.metadata.name}`)
  }
})
