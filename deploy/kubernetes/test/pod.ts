import { mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { home } from '../src/render.ts'

/** As much of a rendered object as the tests read. */
export interface Rendered {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly data?: Readonly<Record<string, string>>
  readonly spec: { readonly template: { readonly spec: PodSpec } }
}

export interface PodSpec {
  readonly serviceAccountName: string
  readonly terminationGracePeriodSeconds: number
  readonly containers: readonly [Container]
  readonly volumes: readonly Volume[]
}

interface Container {
  readonly args?: readonly string[]
  readonly env: readonly { readonly name: string; readonly value: string }[]
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[]
  readonly lifecycle: { readonly preStop: { readonly sleep: { readonly seconds: number } } }
}

interface Volume {
  readonly name: string
  readonly secret?: { readonly secretName: string; readonly defaultMode: number }
  readonly configMap?: { readonly name: string }
  readonly projected?: {
    readonly defaultMode: number
    readonly sources: readonly { readonly serviceAccountToken: { readonly path: string; readonly audience: string } }[]
  }
}

/** What the cluster knows that no manifest says. */
export interface Cluster {
  /** Data of Secrets and ConfigMaps by name. */
  readonly data: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** A token as a kubelet projects it. */
  token(serviceAccount: string, audience: string): Promise<string>
}

/** The objects of a unit of the overlay for production. */
export async function renderedUnit(unit: string): Promise<readonly Rendered[]> {
  const text = await readFile(join(home, 'rendered/production', `${unit}.yaml`), 'utf8')
  return parseAllDocuments(text).map((document) => document.toJS() as Rendered)
}

/** The pod template of the one object of that kind. */
export async function podOf(unit: string, kind: 'Deployment' | 'Job'): Promise<PodSpec> {
  const found = (await renderedUnit(unit)).filter((each) => each.kind === kind)
  if (found.length !== 1) throw new TypeError(`${unit} has ${found.length} of ${kind}`)
  return (found[0] as Rendered).spec.template.spec
}

/** Lays out the volumes of a pod under `root`, as a kubelet does: files are links into a folder that is changed as a whole. */
export async function mountVolumes(pod: PodSpec, root: string, cluster: Cluster): Promise<void> {
  const [{ volumeMounts }] = pod.containers
  for (const volume of pod.volumes) {
    const mount = volumeMounts.find(({ name }) => name === volume.name)
    if (mount === undefined) throw new TypeError(`the volume ${volume.name} is mounted nowhere`)
    const { files, mode } = await contentOf(volume, pod, cluster)
    const folder = join(root, mount.mountPath)
    await mkdir(join(folder, '..data_1'), { recursive: true })
    for (const [name, content] of Object.entries(files)) {
      // Paths that files name are those of the container too.
      await writeFile(join(folder, '..data_1', name), content.replaceAll('/etc/gatehouse/', `${root}/etc/gatehouse/`), { mode })
      await symlink(join('..data', name), join(folder, name))
    }
    await symlink('..data_1', join(folder, '..data_tmp'))
    await rename(join(folder, '..data_tmp'), join(folder, '..data'))
  }
}

async function contentOf(
  volume: Volume,
  pod: PodSpec,
  { data, token }: Cluster,
): Promise<{ readonly files: Readonly<Record<string, string>>; readonly mode: number }> {
  if (volume.projected) {
    const tokens = volume.projected.sources.map(async ({ serviceAccountToken: { path, audience } }) => [
      path,
      await token(pod.serviceAccountName, audience),
    ])
    return { files: Object.fromEntries(await Promise.all(tokens)), mode: volume.projected.defaultMode }
  }
  const name = volume.secret?.secretName ?? volume.configMap?.name ?? ''
  const files = data[name]
  if (files === undefined) throw new TypeError(`there is no Secret or ConfigMap ${name}`)
  return { files, mode: volume.secret?.defaultMode ?? 0o644 }
}

/** What a machine without a cluster cannot have as it stands: the container's own folders and ports, and the names of others. */
export interface Instead {
  /** In place of `/`. */
  readonly root: string
  /** In place of container ports. */
  readonly ports: Readonly<Record<string, string>>
  /** In place of `name:port` of others. */
  readonly places: Readonly<Record<string, string>>
}

/** The environment of the pod, but for what has to be elsewhere here. */
export function environmentOf(pod: PodSpec, { root, ports, places }: Instead): Record<string, string> {
  const elsewhere = ({ name, value }: { readonly name: string; readonly value: string }): string => {
    if (name.endsWith('_PORT')) return ports[name] ?? value
    if (/^\/(etc|var)\//.test(value)) return join(root, value)
    const [place] = Object.keys(places).filter((each) => value === each || value.endsWith(`//${each}`))
    return place === undefined ? value : value.replace(place, places[place] ?? '')
  }
  return Object.fromEntries(pod.containers[0].env.map((variable) => [variable.name, elsewhere(variable)]))
}
