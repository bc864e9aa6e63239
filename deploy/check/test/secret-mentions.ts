import type { Manifest } from '../src/manifests.ts'
import type { PodTemplate } from '../src/pods.ts'

/** The keys of each Secret that is made, by `namespace/name`. */
export type Made = ReadonlyMap<string, readonly string[]>

/** What a manifest wants of a Secret of its namespace. */
export type Mention = { readonly secret: string; readonly key?: string }

/** What the wanted Secret has to have, by the field that names it. */
const wantedBy: Readonly<Record<string, readonly string[]>> = {
  passwordSecret: ['username', 'password'],
  serverTLSSecret: ['tls.crt', 'tls.key'],
  serverCASecret: ['ca.crt'],
  certificateRefs: ['tls.crt', 'tls.key'],
}

type Reference = { readonly name?: unknown; readonly key?: unknown; readonly items?: readonly { readonly key: string }[] }

/** Every Secret that a manifest names, however deep: as `secretName`, in a field that is called after one, or in a reference with its keys; `told` is what stands in its ConfigMaps. */
export function* mentionsOf(manifest: Manifest, told = ''): Generator<Mention> {
  // What makes Secrets names them too.
  if (['Certificate', 'ExternalSecret', 'ClusterIssuer', 'Secret', 'Bundle'].includes(manifest.kind)) return
  const named = (name: string) => `${manifest.metadata.namespace}/${name}`
  for (const { field, value } of fieldsOf(manifest.spec)) {
    const { name, key, items } = (typeof value === 'object' && value !== null ? value : { name: value }) as Reference
    if (typeof name !== 'string') continue
    const secret = named(name)
    if (typeof key === 'string' && !/configMap/i.test(field)) yield { secret, key }
    else if (items && field === 'secret') for (const item of items) yield { secret, key: item.key }
    else if (wantedBy[field]) for (const each of wantedBy[field]) yield { secret, key: each }
    else if (/^secret(Name)?$|Secret$/.test(field)) yield { secret }
  }
  const pod = (manifest.spec as { readonly template?: PodTemplate } | undefined)?.template?.spec
  if (pod?.containers) for (const [name, file] of filesOf(pod, told)) yield { secret: named(name), key: file }
}

/** Each field of a value, and of what is in it; the elements of a list bear the list's name. */
function* fieldsOf(value: unknown): Generator<{ readonly field: string; readonly value: unknown }> {
  if (typeof value !== 'object' || value === null) return
  for (const [field, inner] of Object.entries(value)) {
    for (const each of Array.isArray(inner) ? inner : [inner]) {
      yield { field, value: each }
      yield* fieldsOf(each)
    }
  }
}

/** The files of its Secrets that a pod is told of, by variables, arguments and configuration. */
function* filesOf({ containers, volumes = [] }: PodTemplate['spec'], told: string): Generator<readonly [secret: string, file: string]> {
  for (const { name, secret } of volumes)
    for (const { env = [], args = [], volumeMounts = [] } of containers) {
      const folder = volumeMounts.find((mount) => mount.name === name)?.mountPath
      if (!secret || folder === undefined) continue
      const text = [...env.map(({ value = '' }) => value), ...args, told].join('\n')
      for (const after of text.split(`${folder}/`).slice(1)) yield [secret.secretName, /^[\w.-]*/.exec(after)?.[0] ?? '']
    }
}

/** A sentence for each Secret, and each key of one, that is wanted and not made. */
export function missingOf(manifests: readonly Manifest[], made: Made, told = ''): readonly string[] {
  return manifests.flatMap((manifest) =>
    [...mentionsOf(manifest, told)].flatMap(({ secret, key }) => {
      const keys = made.get(secret)
      const who = `${manifest.kind} ${manifest.metadata.name} wants`
      if (!keys) return [`${who} ${secret}, which nobody makes`]
      return key === undefined || keys.includes(key) ? [] : [`${who} ${key} of ${secret}`]
    }),
  )
}
