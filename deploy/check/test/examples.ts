import assert from 'node:assert/strict'
import { glob, readFile } from 'node:fs/promises'
import { before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { check } from '../src/check.ts'
import { ofKind } from '../src/kinds.ts'
import { type House, type Manifest, parseManifests, readHouses } from '../src/manifests.ts'
import { settingOf, workloadsOf } from '../src/pods.ts'
import { problemsOf, withoutSchema } from '../src/schema.ts'

const deploy = fileURLToPath(new URL('../..', import.meta.url))

/** What stands in these folders as it is written, as if it were one house: kustomize gives the rest its namespaces. */
let examples: House
let production: House
before(async () => {
  const manifests: Manifest[] = []
  // Envoy's configuration is no manifest.
  for (const folder of ['examples', 'nats'])
    for await (const file of glob(`${folder}/**/*.yaml`, { cwd: deploy }))
      if (!file.includes('node_modules') && file !== 'examples/envoy-ext-authz.yaml')
        manifests.push(...parseManifests(await readFile(`${deploy}${file}`, 'utf8'), file))
  examples = { name: 'examples', manifests }
  const found = (await readHouses(`${deploy}kubernetes/rendered`)).find(({ name }) => name === 'production')
  assert.ok(found)
  production = found
})

test('the examples are what their schemas say, and what runs of them is restricted, has limits and comes to an end', async () => {
  assert.ok(examples.manifests.length > 40)
  const findings = await check(examples, ['schema', 'restricted', 'resources', 'secrets', 'rollout'])
  assert.deepEqual(
    findings.map(({ rule, where, says }) => `${where}: ${says} [${rule}]`),
    [],
  )
})

test('a field that no schema knows is refused in every kind that we use, on top and inside', async () => {
  const kinds = new Map(
    [...examples.manifests, ...production.manifests].map((manifest) => [`${manifest.apiVersion}/${manifest.kind}`, manifest]),
  )
  for (const [kind, manifest] of kinds) {
    if (withoutSchema.has(kind)) continue
    const spoilt = { ...manifest, unheard: 1, ...(manifest.spec !== undefined && { spec: { ...(manifest.spec as object), unheard: 1 } }) }
    const wanted = ['unheard', ...(manifest.spec === undefined ? [] : ['spec.unheard'])]
    const problems = await problemsOf(spoilt)
    for (const field of wanted)
      assert.ok(problems.includes(`${field} is a field that ${kind} does not have`), `${kind}: ${problems.join('; ')}`)
  }
  assert.ok(kinds.size > 15)
})

type Made = { readonly target?: { readonly name?: string; readonly template?: { readonly data?: Readonly<Record<string, string>> } } }
type Certificate = { readonly secretName: string; readonly dnsNames?: readonly string[] }

const specsOf = <Spec>(kind: string): readonly Spec[] =>
  examples.manifests.filter((manifest) => manifest.kind === kind).map(({ spec }) => spec as Spec)

/** The files of each Secret that the examples make. */
function made(): ReadonlyMap<string, readonly string[]> {
  return new Map<string, readonly string[]>([
    ...specsOf<Made>('ExternalSecret').map(({ target }) => [target?.name ?? '', Object.keys(target?.template?.data ?? {})] as const),
    ...specsOf<Certificate>('Certificate').map(({ secretName }) => [secretName, ['tls.crt', 'tls.key', 'ca.crt']] as const),
  ])
}

/** What the pods of a house read of Secrets that are not there. */
function* missing(house: House, secrets: ReadonlyMap<string, readonly string[]>): Generator<string> {
  for (const { where, pod, container } of workloadsOf(house))
    for (const { name, secret } of pod.volumes ?? []) {
      if (!secret) continue
      const folder = container.volumeMounts?.find((mount) => mount.name === name)?.mountPath
      const read = (container.env ?? []).flatMap(({ value }) => (value?.startsWith(`${folder}/`) ? [value.slice(`${folder}/`.length)] : []))
      for (const file of read) if (!secrets.get(secret.secretName)?.includes(file)) yield `${where} reads ${file} of ${secret.secretName}`
    }
}

test('External Secrets and cert-manager make every file that the pods of production read', () => {
  assert.deepEqual([...missing(production, made())], [])
})

test('notices a Secret, or a file of it, that nobody makes', () => {
  const [first, ...others] = [...made()].filter(([name]) => name === 'user-secrets' || name === 'auth-secrets')
  assert.ok(first && others.length === 1)
  const found = [...missing(production, new Map([...made(), [first[0], first[1].slice(1)], [others[0]?.[0] ?? '', []]]))]
  assert.ok(found.includes(`Deployment ${first[0].replace('-secrets', '')} reads ${first[1][0]} of ${first[0]}`), found.join())
  assert.ok(found.length >= 4)
})

test('certificates have the names by which a gRPC door is called', () => {
  const names = (service: string) =>
    specsOf<Certificate>('Certificate').find(({ secretName }) => secretName === `${service}-grpc-tls`)?.dnsNames ?? []
  for (const { container } of workloadsOf(production))
    for (const peer of ['user', 'auth', 'notification']) {
      const host = settingOf(container, `${peer.toUpperCase()}_URL`)?.replace(/:\d+$/, '')
      if (host !== undefined) assert.ok(names(peer).includes(host), `${host} is no name of ${peer}'s certificate`)
    }
  // The gateway asks for the name that its policy says.
  for (const { metadata, spec } of ofKind(production, 'BackendTLSPolicy')) {
    const hostname = (spec as { readonly validation?: { readonly hostname?: string } }).validation?.hostname ?? ''
    assert.ok(
      names(metadata.name.replace(/-grpc$/, '')).includes(hostname),
      `${hostname} is no name of the certificate that ${metadata.name} checks`,
    )
  }
})
