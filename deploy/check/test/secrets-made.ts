import assert from 'node:assert/strict'
import { glob, readFile } from 'node:fs/promises'
import { before, test } from 'node:test'
import { checkServerIdentity } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { firstSecrets, kindSecrets, type Secret } from '@gatehouse/kubernetes'
import { type House, type Manifest, parseManifests, readHouses } from '../src/manifests.ts'
import { type Made, mentionsOf, missingOf } from './secret-mentions.ts'

// The first hour by deploy/kubernetes/README.md: whatever a manifest wants of a Secret is there, made by a step of it.

const deploy = fileURLToPath(new URL('../..', import.meta.url))
const production: Manifest[] = []
const around: Manifest[] = []
let kind: House
let first: Awaited<ReturnType<typeof firstSecrets>>
let guide: string
/** What pods are told of their files by ConfigMaps. */
let told: string

/** The manifests of a folder, in the namespace that its kustomization gives them. */
async function folder(name: string): Promise<readonly Manifest[]> {
  const [kustomization] = parseManifests(await readFile(`${deploy}${name}/kustomization.yaml`, 'utf8'), name)
  const { namespace } = kustomization as unknown as { readonly namespace?: string }
  const manifests: Manifest[] = []
  for await (const file of glob(`${name}/**/*.yaml`, { cwd: deploy, exclude: ['**/kustomization.yaml'] }))
    manifests.push(...parseManifests(await readFile(`${deploy}${file}`, 'utf8'), file))
  return manifests.map(({ metadata, ...rest }) => ({ ...rest, metadata: { ...(namespace !== undefined && { namespace }), ...metadata } }))
}

before(async () => {
  const houses = await readHouses(`${deploy}kubernetes/rendered`)
  const of = (name: string) => houses.find((house) => house.name === name) ?? assert.fail(name)
  kind = of('kind')
  production.push(...of('production').manifests, ...of('production-keda').manifests)
  for (const name of ['nats', 'examples/cloudnative-pg', 'examples/pgbouncer', 'examples/first-administrator'])
    production.push(...(await folder(name)))
  around.push(...(await folder('examples/cert-manager')))
  first = await firstSecrets()
  told = (
    await Promise.all(['nats/nats.conf', 'examples/pgbouncer/pgbouncer.ini'].map((file) => readFile(`${deploy}${file}`, 'utf8')))
  ).join('\n')
  guide = await readFile(`${deploy}kubernetes/README.md`, 'utf8')
})

type Certificate = { readonly secretName: string; readonly dnsNames?: readonly string[] }
const certificates = () =>
  around.filter((manifest) => manifest.kind === 'Certificate').map(({ metadata, spec }) => ({ metadata, spec: spec as Certificate }))

const madeOf = (secrets: readonly Secret[]): Made =>
  new Map(secrets.map(({ metadata, stringData }) => [`${metadata.namespace}/${metadata.name}`, Object.keys(stringData)]))

/** Made by the steps of the guide. */
function made(): Made {
  const issued = certificates().map(
    ({ metadata, spec }) => [`${metadata.namespace}/${spec.secretName}`, ['tls.crt', 'tls.key', 'ca.crt']] as const,
  )
  // The keys of a bucket cannot be made up.
  const byHand = [...guide.matchAll(/kubectl -n (\S+) create secret generic (\S+)((?: --from-literal \w+=\S+)+)/g)].map(
    ([, namespace, name, keys = '']) => [`${namespace}/${name}`, [...keys.matchAll(/(\w+)=/g)].map(([, key = '']) => key)] as const,
  )
  return new Map([...madeOf([...first.mounted, ...first.forOperator]), ...issued, ...byHand])
}

const wanted = () => new Set(production.flatMap((manifest) => [...mentionsOf(manifest, told)].map(({ secret }) => secret)))

test('each Secret that a manifest wants is made by a step of the guide, with every key of it', () => {
  assert.ok(wanted().size >= 26, 'mentions are not seen any more')
  assert.deepEqual(missingOf(production, made(), told), [])
})

test('notices each Secret, and each key, that nobody makes', () => {
  for (const name of wanted()) {
    const [without, emptied] = [new Map(made()), new Map(made())]
    without.delete(name)
    emptied.set(name, [])
    assert.ok(
      missingOf(production, without, told).some((each) => each.includes(name)),
      `nobody misses ${name}`,
    )
    assert.ok(
      missingOf(production, emptied, told).some((each) => each.includes(` of ${name}`)),
      `nobody misses the keys of ${name}`,
    )
  }
})

test('the Secrets of --kind are those that kind mounts', async () => {
  const secrets = await kindSecrets()
  assert.deepEqual(missingOf(kind.manifests, madeOf(secrets)), [])
  assert.notDeepEqual(missingOf(kind.manifests, madeOf(secrets.slice(0, -1))), [])
})

test('an operator gives each login the password that its service has', () => {
  for (const { metadata, stringData } of first.mounted) {
    const url = stringData.DATABASE_URL === undefined ? undefined : new URL(stringData.DATABASE_URL)
    if (!url) continue
    const login = first.forOperator.find((secret) => secret.metadata.name === url.username.replaceAll('_', '-'))
    assert.deepEqual(
      login && [login.type, login.stringData],
      ['kubernetes.io/basic-auth', { username: url.username, password: url.password }],
      metadata.name,
    )
  }
})

/** What a server shows by that Secret would not do for that host. */
function refusal(secretName: string, host: string): Error | undefined {
  const names = certificates().find(({ spec }) => spec.secretName === secretName)?.spec.dnsNames ?? []
  const certificate = { subject: { CN: '' }, subjectaltname: names.map((name) => `DNS:${name}`).join(', ') }
  return checkServerIdentity(host, certificate as Parameters<typeof checkServerIdentity>[1])
}

test('certificates have the hosts that Postgres, NATS and the Gateway are called by', () => {
  const hosts = (key: string) =>
    first.mounted.flatMap(({ stringData }) => (stringData[key] ?? '').split(',').filter(Boolean)).map((url) => new URL(url).hostname)
  assert.deepEqual([new Set(hosts('DATABASE_URL')).size, new Set(hosts('NATS_URL')).size], [1, 3])
  for (const host of hosts('DATABASE_URL')) assert.equal(refusal('postgres-server-tls', host), undefined)
  for (const host of hosts('NATS_URL')) assert.equal(refusal('nats-tls', host), undefined)
  const gateway = production.find((manifest) => manifest.kind === 'Gateway')?.spec as {
    readonly listeners: readonly {
      readonly hostname: string
      readonly tls?: { readonly certificateRefs: readonly { readonly name: string }[] }
    }[]
  }
  for (const { hostname, tls } of gateway.listeners)
    for (const { name } of tls?.certificateRefs ?? []) assert.equal(refusal(name, hostname), undefined)
  assert.match(String(refusal('nats-tls', 'nats-0.nats-headless.nats')), /not in the cert/)
})

test('the guide makes namespaces, then Secrets and certificates, and then whatever waits for them', () => {
  const steps = [
    'rendered/production/namespace.yaml',
    'npm run --silent first-secrets',
    'kubectl -n postgres create secret generic postgres-backup',
    'kubectl apply -k deploy/examples/cert-manager',
    'kubectl apply -k deploy/examples/cloudnative-pg',
    'kubectl apply -k deploy/nats',
    'rendered/production/$unit.yaml',
  ]
  const places = steps.map((step) => guide.indexOf(step))
  assert.ok(!places.includes(-1), `${steps[places.indexOf(-1)]} is no step of the guide`)
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  )
})
