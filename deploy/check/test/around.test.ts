import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import type { Manifest } from '../src/manifests.ts'
import { problemsOf, withoutSchema } from '../src/schema.ts'

const root = join(import.meta.dirname, '../../..')
const files = globSync('deploy/{nats,postgres,examples}/**/*.yaml', { cwd: root })
  // Envoy's own configuration is no resource.
  .filter((file) => !file.endsWith('envoy-ext-authz.yaml'))
  .sort()
const manifests = files.flatMap((file) =>
  parseAllDocuments(readFileSync(join(root, file), 'utf8')).map((document) => ({ file, manifest: document.toJS() as Manifest })),
)
const kindOf = ({ apiVersion, kind }: Manifest): string => `${apiVersion}/${kind}`

test('what stands around Gatehouse is what the schemas of its APIs say', async () => {
  const wrong: string[] = []
  for (const { file, manifest } of manifests)
    for (const problem of await problemsOf(manifest)) wrong.push(`${file} ${manifest.kind} ${manifest.metadata.name}: ${problem}`)
  assert.deepEqual(wrong, [])
  const known = manifests.filter(({ manifest }) => !withoutSchema.has(kindOf(manifest)))
  for (const kind of ['Certificate', 'ExternalSecret', 'SecretStore', 'StatefulSet', 'NetworkPolicy', 'Job', 'PodDisruptionBudget'])
    assert.ok(
      known.some(({ manifest }) => manifest.kind === kind),
      `no ${kind} was looked at`,
    )
})

test('a field that is misspelt, missing or of another type is found', async () => {
  const mistakes: Readonly<Record<string, (spec: Record<string, unknown>) => void>> = {
    Certificate: (spec) => delete spec.issuerRef,
    ExternalSecret: (spec) => Object.assign(spec, { refreshIntervall: '5m' }),
    StatefulSet: (spec) => Object.assign(spec, { replicas: 'three' }),
    NetworkPolicy: (spec) => Object.assign(spec, { egres: [] }),
  }
  for (const [kind, spoil] of Object.entries(mistakes)) {
    const found = manifests.find(({ manifest }) => manifest.kind === kind) ?? assert.fail()
    const spoilt = structuredClone(found.manifest)
    spoil((spoilt as unknown as { spec: Record<string, unknown> }).spec)
    assert.ok((await problemsOf(spoilt)).length > 0, kind)
  }
})
