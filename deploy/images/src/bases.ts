import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** An image that ours are made from. */
export interface Base {
  /** What the Dockerfile calls it. */
  readonly name: string
  /** Registry, repository and tag. */
  readonly reference: string
  /** Of the index of all platforms; undefined until a registry was asked. */
  readonly digest: string | undefined
}

export const lockFile = fileURLToPath(new URL('../base-images.lock', import.meta.url))

const line = /^(?<name>[a-z]+)\s+(?<reference>[a-z0-9.-]+\.[a-z]+\/[\w./-]+:[\w.-]+)\s+(?<digest>-|sha256:[0-9a-f]{64})$/

/** Reads the lock. Throws with the line that is none. */
export function readBases(text = readFileSync(lockFile, 'utf8')): readonly Base[] {
  return text.split('\n').flatMap((each, i) => {
    if (each.trim() === '' || each.startsWith('#')) return []
    const { name, reference, digest } = line.exec(each.trim())?.groups ?? {}
    if (name === undefined || reference === undefined)
      throw new Error(`base-images.lock, line ${i + 1}: not "name registry/repository:tag digest", the digest being sha256: or "-"`)
    return [{ name, reference, digest: digest === '-' ? undefined : digest }]
  })
}

/** The references to build from, each by digest. Throws with a sentence that names every base that has none. */
export function pinned(bases: readonly Base[]): ReadonlyMap<string, string> {
  const open = bases.filter(({ digest }) => digest === undefined)
  if (open.length > 0)
    throw new Error(
      `base-images.lock has no digest for ${open.map(({ reference }) => reference).join(' and ')}: where the registries can be reached, run "npm run images -- lock" and commit what it writes.`,
    )
  return new Map(bases.map(({ name, reference, digest }) => [name, `${reference.replace(/:[^:/]+$/, '')}@${digest}`]))
}

/** The lock with the digests that `ask` answers; comments and order stay. */
export async function locked(text: string, ask: (reference: string) => Promise<string>): Promise<string> {
  const lines = text.split('\n')
  for (const { name, reference, digest } of readBases(text)) {
    const found = (await ask(reference)).trim()
    if (!/^sha256:[0-9a-f]{64}$/.test(found)) throw new Error(`${found.slice(0, 100)} is no digest of ${reference}`)
    const i = lines.findIndex((each) => each.startsWith(`${name} `))
    lines[i] = `${lines[i]?.slice(0, -(digest ?? '-').length)}${found}`
  }
  return lines.join('\n')
}
