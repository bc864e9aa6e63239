import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../', import.meta.url))

/** What of a package.json is read here. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly license: string
  readonly exports: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
}

/** What other teams install. Each becomes one tarball. */
export const published = ['contracts', 'client', 'web'] as const

/** Entries of packages that are nobody else's business: what the published ones import of them goes along as files. */
export const inside = ['@gatehouse/events/subscriber', '@gatehouse/identity', '@gatehouse/rpc/peer']

export function manifestOf(name: string): Manifest {
  return JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')) as Manifest
}

/** The source file behind `@gatehouse/<name>` or `@gatehouse/<name>/<entry>`, relative to packages/. */
export function sourceOf(specifier: string): string {
  const [, name = '', entry] = /^@gatehouse\/([a-z]+)(?:\/(.+))?$/.exec(specifier) ?? []
  const target = manifestOf(name).exports[entry === undefined ? '.' : `./${entry}`]
  if (target === undefined) throw new Error(`${specifier} is no entry of packages/${name}`)
  return join(name, target)
}
