/** An image as it was pushed: known by its digest, and not yet by a version. */
export interface Pushed {
  /** Registry and repository. */
  readonly repository: string
  /** The package whose version is the image's. */
  readonly name: string
  readonly version: string
  readonly digest: string
}

/** A tag, and the digest that it is given to. */
export interface VersionTag {
  readonly tag: string
  readonly digest: string
}

/**
 * The version tags of a release: of those images whose packages are tagged at this commit of git. A tag that the registry has stays where it is, so that
 * whoever goes by it has the same bytes for ever.
 */
export async function versionTags(
  pushed: readonly Pushed[],
  gitTags: readonly string[],
  isThere: (tag: string) => Promise<boolean> | boolean,
): Promise<readonly VersionTag[]> {
  const tags: VersionTag[] = []
  for (const { repository, name, version, digest } of pushed) {
    if (!/^sha256:[0-9a-f]{64}$/.test(digest)) throw new Error(`${digest.slice(0, 100)} is no digest of ${repository}`)
    const tag = `${repository}:${version}`
    if (gitTags.includes(`${name}@${version}`) && !(await isThere(tag))) tags.push({ tag, digest: `${repository}@${digest}` })
  }
  return tags
}
