/** A program of Debian's that may be brought, and what makes it the one that is wanted. */
export type DebianProgram = {
  readonly package: string
  /** Where the package keeps it. */
  readonly file: string
  /** The arguments that make it say its version, and nothing else. */
  readonly version: readonly string[]
  /** What counts as new enough, on PATH too: major and minor. */
  readonly atLeast: readonly [major: number, minor: number]
  /** For which it is wanted, in the words of a sentence. */
  readonly use: string
}

export const debianPrograms = {
  kustomize: {
    package: 'kustomize',
    file: 'usr/bin/kustomize',
    version: ['version'],
    atLeast: [5, 0],
    use: 'to render the overlays',
  },
  prometheus: {
    package: 'prometheus',
    file: 'usr/bin/prometheus',
    version: ['--version'],
    atLeast: [3, 0],
    use: 'to scrape the services',
  },
  promtool: {
    package: 'promtool',
    file: 'usr/bin/promtool',
    version: ['--version'],
    atLeast: [3, 0],
    use: 'to check the rules for Prometheus',
  },
  pgbouncer: {
    package: 'pgbouncer',
    file: 'usr/sbin/pgbouncer',
    version: ['--version'],
    // Named statements pass from 1.21.
    atLeast: [1, 21],
    use: 'to pool connections',
  },
  buildah: {
    package: 'buildah',
    file: 'usr/bin/buildah',
    version: ['--version'],
    atLeast: [1, 38],
    use: 'to build images',
  },
} as const satisfies Record<string, DebianProgram>

export type DebianProgramName = keyof typeof debianPrograms
