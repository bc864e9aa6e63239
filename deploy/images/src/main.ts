import { execFileSync, spawnSync } from 'node:child_process'
import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { parseArgs } from 'node:util'
import { locked, lockFile, pinned, readBases } from './bases.ts'
import { buildCommand, folderOf, type ImageName, images, root } from './build.ts'
import { versionTags } from './release.ts'

const usage = `Usage: npm run images -- build [user | auth | notification | console …] [--registry ghcr.io/gatehouse] [--tag TAG] [--print]
       npm run images -- lock
       npm run images -- release --registry REGISTRY --digests FOLDER
       npm run images -- prove [--twice] [--work FOLDER]`

/** Programs that a registry can be asked with for the digest of an index. */
const askers: Readonly<Record<string, (reference: string) => string[]>> = {
  crane: (reference) => ['digest', reference],
  skopeo: (reference) => ['inspect', '--no-tags', '--format', '{{.Digest}}', `docker://${reference}`],
  docker: (reference) => ['buildx', 'imagetools', 'inspect', '--format', '{{.Manifest.Digest}}', reference],
}

function onPath<T extends string>(programs: readonly T[], what: string): T {
  const isThere = (program: string) =>
    (process.env.PATH ?? '').split(delimiter).some((folder) => {
      try {
        accessSync(join(folder, program), constants.X_OK)
        return true
      } catch {
        return false
      }
    })
  const found = programs.find(isThere)
  if (found === undefined) throw new Error(`${what} takes ${programs.join(', ')} or the like, and none of them is on PATH`)
  return found
}

function packageOf(image: ImageName): { readonly name: string; readonly version: string } {
  const { name, version } = JSON.parse(readFileSync(join(root, folderOf(image), 'package.json'), 'utf8')) as {
    name: string
    version: string
  }
  return { name, version }
}

function build(names: readonly string[], registry: string, tag: string | undefined, print: boolean): void {
  const wrong = names.find((name) => !images.some((image) => image === name))
  if (wrong !== undefined) throw new Error(`there is no image "${wrong}": they are ${images.join(', ')}`)
  const bases = pinned(readBases())
  const builder = onPath(['docker', 'podman', 'buildah'] as const, 'building an image')
  const revision = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim()
  for (const image of images.filter((each) => names.length === 0 || names.includes(each))) {
    const { version } = packageOf(image)
    const [program = '', ...args] = buildCommand(builder, {
      image,
      bases,
      tag: `${registry}/${image}:${tag ?? version}`,
      version,
      revision,
    })
    if (print) process.stdout.write(`${[program, ...args].join(' ')}\n`)
    else if (spawnSync(program, args, { cwd: root, stdio: 'inherit' }).status !== 0)
      throw new Error(`the image of ${image} cannot be built`)
  }
}

async function lock(): Promise<void> {
  const asker = onPath(Object.keys(askers), 'asking a registry')
  const ask = async (reference: string) => execFileSync(asker, askers[asker]?.(reference) ?? [], { encoding: 'utf8' })
  writeFileSync(lockFile, await locked(readFileSync(lockFile, 'utf8'), ask))
}

/** Gives images that were pushed their versions, where this commit is a release of them. */
async function release(registry: string, digests: string): Promise<void> {
  const pushed = images.map((image) => ({
    repository: `${registry}/${image}`,
    ...packageOf(image),
    digest: readFileSync(join(digests, image), 'utf8').trim(),
  }))
  const gitTags = execFileSync('git', ['tag', '--points-at', 'HEAD'], { cwd: root, encoding: 'utf8' }).split('\n')
  const tags = await versionTags(pushed, gitTags, (tag) => {
    const { status, stderr } = spawnSync('docker', ['buildx', 'imagetools', 'inspect', tag], { encoding: 'utf8' })
    // An answer that did not come is no reason to write over a tag.
    if (status !== 0 && !/not found/i.test(stderr ?? '')) throw new Error(`whether there is ${tag} is not known: ${stderr}`)
    return status === 0
  })
  if (tags.length === 0) process.stdout.write('No image is released by this commit, or all of them were\n')
  for (const { tag, digest } of tags) {
    // The same bytes, and not a new index around them.
    execFileSync('docker', ['buildx', 'imagetools', 'create', '--prefer-index=false', '--tag', tag, digest], { stdio: 'inherit' })
    process.stdout.write(`${tag} is ${digest}\n`)
  }
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      registry: { type: 'string', default: 'ghcr.io/gatehouse' },
      tag: { type: 'string' },
      print: { type: 'boolean', default: false },
      digests: { type: 'string', default: 'digests' },
      work: { type: 'string' },
      twice: { type: 'boolean', default: false },
    },
  })
  const [command, ...names] = positionals
  if (command === 'build') build(names, values.registry, values.tag, values.print)
  else if (command === 'lock') await lock()
  else if (command === 'release') await release(values.registry, values.digests)
  else if (command === 'prove') await (await import('./prove/prove.ts')).prove(values.work, values.twice)
  else throw new Error(usage)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
