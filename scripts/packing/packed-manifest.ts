import { inside, manifestOf, published, sourceOf } from './workspace.ts'

/** The package.json of a tarball: what its files import and nothing else, each in the one version that our tests have seen. */
export function packedManifest(name: string, imported: ReadonlySet<string>): Record<string, unknown> {
  const { name: fullName, version, license, exports } = manifestOf(name)
  const others = [...imported].filter((each) => each !== fullName).sort()
  return {
    name: fullName,
    version,
    license,
    type: 'module',
    ...(name === 'client' && { engines: { node: '>=24' } }),
    sideEffects: false,
    exports: {
      ...Object.fromEntries(Object.entries(exports).map(([entry, target]) => [entry, packedTarget(target)])),
      ...(name === 'contracts' && { './proto/*': './proto/*' }),
      './package.json': './package.json',
    },
    dependencies: Object.fromEntries(others.map((each) => [each, versionOf(each)])),
  }
}

function packedTarget(target: string): string | Record<string, string> {
  if (!target.endsWith('.ts')) return target
  const built = target.replace(/^\.\/src\//, './dist/').replace(/\.ts$/, '')
  return { types: `${built}.d.ts`, default: `${built}.js` }
}

function versionOf(dependency: string): string {
  const own = published.find((name) => manifestOf(name).name === dependency)
  if (own !== undefined) return manifestOf(own).version
  const owners = [...published, ...inside.map((entry) => sourceOf(entry).split('/')[0] ?? '')]
  const [pinned] = owners.flatMap((name) => manifestOf(name).dependencies[dependency] ?? [])
  if (pinned === undefined || pinned.startsWith('workspace:')) throw new Error(`${dependency} may not be in a tarball`)
  return pinned
}
