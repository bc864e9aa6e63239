import { fileURLToPath } from 'node:url'

/** What there is an image of. */
export const images = ['user', 'auth', 'notification', 'console'] as const
export type ImageName = (typeof images)[number]

/** Where it is made of, from the root: each is released by itself, and has its own version. */
export const folderOf = (image: ImageName): string => (image === 'console' ? 'deploy/console-server' : `services/${image}`)

/** The root of the checkout, which is the context of every build. */
export const root = fileURLToPath(new URL('../../../', import.meta.url))

/** What a build is told. */
export interface BuildOptions {
  readonly image: ImageName
  /** References by the names of the lock. */
  readonly bases: ReadonlyMap<string, string>
  readonly tag: string
  readonly version: string
  readonly revision: string
}

/** The arguments of a build that every builder understands, without the context. */
export function buildArguments({ image, bases, tag, version, revision }: BuildOptions): readonly string[] {
  const values = {
    SERVICE: image,
    VERSION: version,
    REVISION: revision,
    ...Object.fromEntries([...bases].map(([name, reference]) => [`${name.toUpperCase()}_BASE`, reference])),
  }
  const set = Object.entries(values).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`])
  return ['--file', 'deploy/images/Dockerfile', ...set, '--tag', tag]
}

/** What dates the files that a builder makes itself. With it two builds of one commit make the same layers. */
const epoch = '0'

/** The whole command for the builder on this machine. */
export function buildCommand(builder: 'docker' | 'podman' | 'buildah', options: BuildOptions): readonly string[] {
  const own = {
    // Written down by the builder: what it was made of, and by whom.
    docker: ['buildx', 'build', '--load', '--build-arg', `SOURCE_DATE_EPOCH=${epoch}`],
    podman: ['build', '--timestamp', epoch, '--ignorefile', 'deploy/images/Dockerfile.dockerignore'],
    buildah: ['build', '--timestamp', epoch, '--ignorefile', 'deploy/images/Dockerfile.dockerignore'],
  }
  return [builder, ...own[builder], ...buildArguments(options), '.']
}
