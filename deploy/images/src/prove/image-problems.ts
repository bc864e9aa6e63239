import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { BuiltImage } from './built-image.ts'

const largestBytes = 180e6

/** What is wrong with an image, by what a registry says of it. */
export function configProblems({ config }: BuiltImage, compressedBytes: number): readonly string[] {
  const { User = '', Entrypoint = [], Cmd = [], Env = [] } = config
  const options = Env.find((each) => each.startsWith('NODE_OPTIONS=')) ?? ''
  const wanted = ['MALLOC_ARENA_MAX=2', 'UV_THREADPOOL_SIZE=8', 'NODE_COMPILE_CACHE=/app/.cache/node']
  return [
    ...(/^\d{5,}:\d{5,}$/.test(User) ? [] : [`it runs as "${User}"`]),
    ...([...Entrypoint, ...Cmd].join(' ') === '/usr/local/bin/node main.ts' ? [] : [`it starts ${[...Entrypoint, ...Cmd].join(' ')}`]),
    ...['--max-old-space-size-percentage=', '--max-semi-space-size=']
      .filter((each) => !options.includes(each))
      .map((each) => `${each} is not set`),
    ...wanted.filter((each) => !Env.includes(each)).map((each) => `${each} is not set`),
    ...(compressedBytes <= largestBytes ? [] : [`it has ${Math.round(compressedBytes / 1e6)} MB compressed`]),
    ...(config.Labels?.['org.opencontainers.image.revision'] === undefined ? ['it does not say its revision'] : []),
  ]
}

const shells = /^(sh|bash|dash|ash|zsh|busybox|env|npm|npx|corepack|pnpm|yarn|apt|apt-get|dpkg|apk|curl|wget|perl|python3?)$/

/** What is wrong in the files of an image: `root` is where its layers were unpacked. */
export function rootProblems(root: string): readonly string[] {
  const problems: string[] = []
  const installed = new Set<string>()
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name).slice(root.length)
    if (entry.isSymbolicLink()) continue
    const { uid, mode } = statSync(join(root, path))
    const isTemporary = path === '/tmp'
    if (!isTemporary && (uid !== 0 || mode & 0o022)) problems.push(`${path} may be written by others than root`)
    if (entry.isFile() && mode & 0o111 && shells.test(entry.name)) problems.push(`${path} is there`)
    if (/\.test\.[a-z]+$/.test(entry.name) && !path.includes('/node_modules/')) problems.push(`${path} is a test`)
    const [, name] = /^\/app\/node_modules\/\.pnpm\/[^/]+\/node_modules\/((?:@[^/]+\/)?[^/@]+)\/package\.json$/.exec(path) ?? []
    if (name !== undefined && entry.isFile()) {
      const { version } = JSON.parse(readFileSync(join(root, path), 'utf8')) as { version: string }
      installed.add(`${name}@${version}`)
    }
  }
  return [...problems, ...billProblems(root, installed)]
}

/** The bill has to list what is installed. In the console it lists what its pages are made of too, which nobody installed. */
function billProblems(root: string, installed: ReadonlySet<string>): readonly string[] {
  const text = readFileSync(join(root, 'app/sbom.cdx.json'), 'utf8')
  const bill = JSON.parse(text) as { bomFormat: string; components: { group?: string; name: string; version: string; purl?: string }[] }
  const listed = new Set(bill.components.map(({ group, name, version }) => `${group ? `${group}/` : ''}${name}@${version}`))
  const bundled = readdirSync(join(root, 'app')).includes('services') ? [] : [...listed]
  const isOurs = (each: string) => each.startsWith('@gatehouse/') || each === `node@${process.versions.node}`
  return [
    ...(bill.bomFormat === 'CycloneDX' ? [] : ['the bill of materials is no CycloneDX']),
    ...(listed.has(`node@${process.versions.node}`) ? [] : ['the bill does not list Node']),
    ...[...installed].filter((each) => !listed.has(each)).map((each) => `${each} is installed, and not in the bill`),
    ...[...listed]
      .filter((each) => !isOurs(each) && !installed.has(each) && !bundled.includes(each))
      .map((each) => `${each} is in the bill, and not installed`),
  ]
}
