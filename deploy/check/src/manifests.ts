import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'

/** One thing that a cluster is asked for. Its schema is checked before anything else reads it. */
export type Manifest<Spec = unknown> = {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Labels
  }
  readonly spec: Spec
  readonly data?: Readonly<Record<string, string>>
  readonly stringData?: Readonly<Record<string, string>>
  readonly automountServiceAccountToken?: boolean
}

export type Labels = Readonly<Record<string, string>>

export type Selector = {
  readonly matchLabels?: Labels
  readonly matchExpressions?: readonly unknown[]
}

/** All that one overlay puts into a cluster. */
export type House = { readonly name: string; readonly manifests: readonly Manifest[] }

/** Whether a house is for people who depend on it: elsewhere one replica, and an image without a digest, will do. */
export const isForProduction = ({ name }: House): boolean => !/^(development|kind)/.test(name)

/** Reads the manifests of a file, empty documents left out. Two keys of one name are an error, as kubectl has it. */
export function parseManifests(text: string, file: string): Manifest[] {
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors[0]) throw new TypeError(`${file}: ${document.errors[0].message}`)
    const manifest: unknown = document.toJS()
    return manifest === null ? [] : [manifest as Manifest]
  })
}

/** The houses of a folder such as `rendered/`: a folder each, with a file for what is applied alone. */
export async function readHouses(folder: string): Promise<readonly House[]> {
  const entries = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory())
  return Promise.all(
    entries.map(async ({ name }) => {
      const files = (await readdir(join(folder, name))).filter((file) => file.endsWith('.yaml')).sort()
      const texts = await Promise.all(files.map((file) => readFile(join(folder, name, file), 'utf8')))
      return { name, manifests: texts.flatMap((text, at) => parseManifests(text, join(name, files[at] ?? ''))) }
    }),
  )
}

/** What a finding calls a manifest. */
export const nameOf = ({ kind, metadata }: Manifest): string => `${kind} ${metadata.name}`

/** Whether a selector takes a thing with these labels. Expressions are not used here, and refused by a rule. */
export function selects(selector: Selector | Labels | undefined, labels: Labels = {}): boolean {
  if (!selector) return false
  const wanted = ('matchLabels' in selector ? selector.matchLabels : 'matchExpressions' in selector ? {} : selector) as Labels | undefined
  return Object.entries(wanted ?? {}).every(([name, value]) => labels[name] === value)
}
