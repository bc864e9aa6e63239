import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventServices } from '@gatehouse/events/nats-rights'
import { parseAllDocuments } from 'yaml'
import { passwordVariableOf } from '../src/nats-users-file.ts'

const root = join(import.meta.dirname, '../../..')

interface Variable {
  readonly name: string
  readonly value?: string
}
interface Pod {
  readonly serviceAccountName: string
  readonly containers: readonly { readonly env?: readonly Variable[]; readonly volumeMounts: readonly unknown[] }[]
  readonly volumes: readonly {
    readonly name: string
    readonly projected?: { readonly sources: readonly { readonly secret?: { readonly name: string } }[] }
  }[]
}
interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly spec: {
    readonly template: { readonly spec: Pod }
    readonly dnsNames: readonly string[]
    readonly target: { readonly name: string; readonly template: { readonly data: Readonly<Record<string, string>> } }
    readonly managed: { readonly roles: readonly { readonly name: string; readonly passwordSecret: { readonly name: string } }[] }
  }
}

function manifestsIn(folder: string): Manifest[] {
  const files = readdirSync(join(root, folder)).filter((file) => file.endsWith('.yaml'))
  return files.flatMap((file) =>
    parseAllDocuments(readFileSync(join(root, folder, file), 'utf8')).map((document) => document.toJS() as Manifest),
  )
}
const one = (manifests: readonly Manifest[], kind: string, name: string): Manifest =>
  manifests.find((manifest) => manifest?.kind === kind && manifest.metadata.name === name) ?? assert.fail(`there is no ${kind} ${name}`)

const production = manifestsIn('deploy/kubernetes/rendered/production')
const secrets = manifestsIn('deploy/examples/external-secrets')
const certificates = manifestsIn('deploy/examples/cert-manager')
const podOf = (service: string) => one(production, 'Deployment', service).spec.template.spec

test('the Job of the first administrator is auth for one call', () => {
  const job = one(manifestsIn('deploy/examples/first-administrator'), 'Job', 'first-administrator').spec.template.spec
  const auth = podOf('auth')
  // What concerns calls that come in, or what is sent out of sight.
  const needless = ['DRAIN_TIMEOUT', 'PASSWORD_HASHES', 'UV_THREADPOOL_SIZE', 'OTLP_ENDPOINT', 'TRUSTED_PROXIES', 'NATS_REPLICAS', 'POD_IP']
  const asMap = (pod: Pod) =>
    Object.fromEntries(
      (pod.containers[0]?.env ?? []).filter(({ name }) => !needless.includes(name)).map(({ name, value }) => [name, value]),
    )
  assert.deepEqual(asMap(job), asMap(auth))
  assert.equal(job.serviceAccountName, auth.serviceAccountName)
  assert.deepEqual(job.volumes, auth.volumes)
  assert.deepEqual(job.containers[0]?.volumeMounts, auth.containers[0]?.volumeMounts)
})

test('the certificate of NATS has the names by which its clients call it', () => {
  const nats = one(certificates, 'Certificate', 'nats').spec.dnsNames
  const urls = eventServices.map((service) => one(secrets, 'ExternalSecret', `${service}-secrets`).spec.target.template.data.NATS_URL ?? '')
  for (const host of urls.flatMap((url) => [...url.matchAll(/@([^:,]+):/g)].map(([, host = '']) => host)))
    assert.ok(nats.includes(host.replace(/^nats-\d/, '*')), host)
})

test('whoever is in the configuration of NATS has a password, and so has every role of Postgres', () => {
  const users = [...readFileSync(join(root, 'deploy/nats/users.conf'), 'utf8').matchAll(/user: ([\w-]+), password: \$(\w+)/g)]
  const passwords = one(secrets, 'ExternalSecret', 'nats-passwords').spec.target.template.data['passwords.conf'] ?? ''
  assert.deepEqual(
    users.map(([, user = '']) => passwordVariableOf(user)).sort(),
    [...passwords.matchAll(/^(\w+):/gm)].map(([, name]) => name).sort(),
  )
  const { roles } = one(manifestsIn('deploy/examples/cloudnative-pg'), 'Cluster', 'postgres').spec.managed
  assert.deepEqual(
    roles.map(({ name }) => name).sort(),
    eventServices.flatMap((service) => ['a', 'b', 'migrator'].map((end) => `gatehouse_${service}_${end}`)).sort(),
  )
  for (const { passwordSecret } of roles) assert.ok(one(secrets, 'ExternalSecret', passwordSecret.name))
  const nats = one(manifestsIn('deploy/nats/kubernetes'), 'StatefulSet', 'nats').spec.template.spec
  const mounted = nats.volumes.flatMap(({ projected }) => projected?.sources ?? []).map(({ secret }) => secret?.name)
  assert.ok(mounted.includes('nats-passwords'))
})
