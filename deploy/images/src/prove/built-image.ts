import { createReadStream } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createGzip } from 'node:zlib'
import type { Buildah } from './buildah.ts'
import { run } from './run.ts'

/** A layer, as it lies in the layout. */
export interface Layer {
  readonly digest: string
  readonly file: string
}

/** An image as a registry would hold it. */
export interface BuiltImage {
  readonly config: {
    readonly User?: string
    readonly Env?: readonly string[]
    readonly Entrypoint?: readonly string[]
    readonly Cmd?: readonly string[]
    readonly WorkingDir?: string
    readonly Labels?: Readonly<Record<string, string>>
  }
  readonly layers: readonly Layer[]
}

/** Pushes an image of the storage into the layout at `folder`, which its layers share with others. */
export async function push(buildah: Buildah, name: string, folder: string): Promise<void> {
  await buildah.call(['push', '--disable-compression', `localhost/${name}`, `oci:${folder}:${name}`])
}

type Index = { readonly manifests: readonly { readonly digest: string; readonly annotations?: Readonly<Record<string, string>> }[] }

/** The image of that name in the layout; undefined where there is none. */
export async function imageIn(folder: string, name: string): Promise<BuiltImage | undefined> {
  const blob = (digest: string) => join(folder, 'blobs', digest.replace(':', '/'))
  const read = async (file: string) => JSON.parse(await readFile(file, 'utf8'))
  const index: Index = await read(join(folder, 'index.json')).catch(() => ({ manifests: [] }))
  const entry = index.manifests.find(({ annotations }) => annotations?.['org.opencontainers.image.ref.name'] === name)
  if (entry === undefined) return undefined
  const manifest = await read(blob(entry.digest))
  const { config } = await read(blob(manifest.config.digest))
  return { config, layers: manifest.layers.map(({ digest }: { digest: string }) => ({ digest, file: blob(digest) })) }
}

/** Lays the layers over each other, as whoever runs the image does. */
export async function unpack({ layers }: BuiltImage, root: string): Promise<void> {
  await mkdir(root, { recursive: true })
  for (const { file } of layers)
    await run('tar', ['--extract', '--preserve-permissions', '--numeric-owner', '--file', file, '--directory', root])
}

const sizes = new Map<string, Promise<number>>()

/** What a registry keeps of a layer, and a machine downloads: its size in bytes when it is compressed by gzip as builders do. */
export function compressedSize({ digest, file }: Layer): Promise<number> {
  const known = sizes.get(digest) ?? measure(file)
  sizes.set(digest, known)
  return known
}

async function measure(file: string): Promise<number> {
  let bytes = 0
  for await (const chunk of createReadStream(file).pipe(createGzip())) bytes += (chunk as Buffer).length
  return bytes
}
