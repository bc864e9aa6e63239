import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'

/** How a body may be sent, the smallest first. */
export const encodings = ['br', 'gzip', 'identity'] as const
export type Encoding = (typeof encodings)[number]

/** A file with what was compressed of it when the image was built. */
export interface Page {
  readonly type: string
  readonly cacheControl: string
  readonly etag: string
  readonly bodies: Readonly<Partial<Record<Encoding, Buffer>> & { readonly identity: Buffer }>
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
}

/** Endings of the compressed siblings of a file. */
export const endingOf: Readonly<Record<Exclude<Encoding, 'identity'>, string>> = { br: '.br', gzip: '.gz' }

/**
 * Reads all files of a build, by their paths on the web. They are few and small, so they stay in memory: no request touches the disk, and none can
 * leave the folder. A file whose ending is not known is not served.
 */
export async function readPages(folder: string): Promise<ReadonlyMap<string, Page>> {
  const pages = new Map<string, Page>()
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name)
    const path = file.slice(folder.length).replace(/^\/*/, '/')
    if (entry.isFile() && types[extname(path)] !== undefined && !path.includes('/.')) pages.set(path, await readPage(file, path))
  }
  if (!pages.has('/index.html')) throw new Error(`there is no index.html in ${folder}: build the console first`)
  return pages
}

/** Reads one file, with its compressed siblings where it has them. `path` decides its type and how long it may be kept. */
export async function readPage(file: string, path: string): Promise<Page> {
  const identity = await readFile(file)
  const [br, gzip] = await Promise.all(Object.values(endingOf).map((ending) => readFile(file + ending).catch(() => undefined)))
  return {
    type: types[extname(path)] ?? 'application/octet-stream',
    // Vite puts a hash of the content into these names.
    cacheControl: path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
    etag: createHash('sha256').update(identity).digest('base64url').slice(0, 22),
    bodies: { identity, ...(br && { br }), ...(gzip && { gzip }) },
  }
}
