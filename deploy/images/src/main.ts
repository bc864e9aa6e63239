import { execFileSync, spawnSync } from 'node:child_process'
import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { parseArgs } from 'node:util'
import { locked, lockFile, pinned, readBases } from './bases.ts'
import { buildCommand, folderOf, images, root } from './build.ts'

const usage = `Usage: npm run images -- build [user | auth | notification | console …] [--registry ghcr.io/gatehouse] [--tag TAG] [--print]
       npm run images -- lock
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

function build(names: readonly string[], registry: string, tag: string | undefined, print: boolean): void {
  const wrong = names.find((name) => !images.some((image) => image === name))
  if (wrong !== undefined) throw new Error(`there is no image "${wrong}": they are ${images.join(', ')}`)
  const bases = pinned(readBases())
  const builder = onPath(['docker', 'podman', 'buildah'] as const, 'building an image')
  const revision = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim()
  for (const image of images.filter((each) => names.length === 0 || names.includes(each))) {
    const { version } = JSON.parse(readFileSync(join(root, folderOf(image), 'package.json'), 'utf8')) as { version: string }
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

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      registry: { type: 'string', default: 'ghcr.io/gatehouse' },
      tag: { type: 'string' },
      print: { type: 'boolean', default: false },
      work: { type: 'string' },
      twice: { type: 'boolean', default: false },
    },
  })
  const [command, ...names] = positionals
  if (command === 'build') build(names, values.registry, values.tag, values.print)
  else if (command === 'lock') await lock()
  else if (command === 'prove') await (await import('./prove/prove.ts')).prove(values.work, values.twice)
  else throw new Error(usage)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
