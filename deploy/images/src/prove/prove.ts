import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type ImageName, images } from '../build.ts'
import { buildImage } from './build-image.ts'
import { bringBuildah } from './buildah.ts'
import { type BuiltImage, compressedSize, imageIn, unpack } from './built-image.ts'
import { openHouse } from './house.ts'
import { configProblems, rootProblems } from './image-problems.ts'
import { makeBases } from './local-bases.ts'
import { obstacle } from './obstacle.ts'
import { runAll } from './run-all.ts'

/** An image, and where its files lie. */
export interface Laid {
  readonly name: ImageName
  readonly image: BuiltImage
  readonly root: string
}

/** Does something and tells how long it took, and what came of it. */
export type Told = <T>(what: string, act: () => Promise<T>, more?: (result: T) => string) => Promise<T>

/**
 * Builds all images without a registry, looks into them, and runs them as a cluster would, with a person who signs up. Exit code 1 where anything is
 * not as it is promised; where it cannot be tried on this machine, that is said, and is no failure. A folder that is given is kept, and what was built
 * in it is not built again. `twice` builds one again and compares its layers.
 */
export async function prove(folder: string | undefined, twice: boolean): Promise<void> {
  const why = obstacle()
  if (why !== undefined) {
    process.stdout.write(
      `\n!!! NOT RUN: no image was built or started, for ${why}.\n!!! It takes root, mount namespaces and Debian 12.\n\n`,
    )
    return
  }
  if (folder !== undefined) await mkdir(folder, { recursive: true })
  // A file system that overlays can lie on: /tmp is often none.
  const work = folder ?? (await mkdtemp('/var/tmp/gatehouse-images-'))
  const problems: string[] = []
  try {
    const laid = await layOut(work, twice, problems)
    await inspect(laid, problems)
    const uid = Number(laid[0]?.image.config.User?.split(':')[0])
    await using house = await told('Postgres, NATS and a mail server', () => openHouse(work, uid))
    await runAll(laid, house, uid, problems, told)
  } finally {
    if (folder === undefined) await rm(work, { recursive: true, force: true })
    for (const problem of problems) process.stdout.write(`✗ ${problem}\n`)
  }
  if (problems.length > 0) process.exitCode = 1
  else process.stdout.write('the images are what they are said to be\n')
}

const told: Told = async (what, act, more = () => '') => {
  const began = performance.now()
  const result = await act()
  process.stdout.write(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${what} ${more(result)}\n`)
  return result
}

async function layOut(work: string, twice: boolean, problems: string[]): Promise<readonly Laid[]> {
  const layout = join(work, 'layout')
  const known = await Promise.all(images.map((name) => imageIn(layout, name)))
  const laid = images.map((name, i) => ({ name, image: known[i], root: join(work, 'roots', name) }))
  if (laid.every(({ image }) => image !== undefined)) return laid as readonly Laid[]

  const buildah = await told(
    'buildah',
    () => bringBuildah(work),
    ({ version }) => `(${version})`,
  )
  const bases = await told('bases of files of this machine', () => makeBases(buildah, work))
  for (const each of laid) {
    each.image = await told(`${each.name} is built`, () => buildImage(buildah, each.name, bases, work))
    await unpack(each.image, each.root)
  }
  if (!twice) return laid as readonly Laid[]
  const [first] = laid as unknown as [Laid]
  const again = await told(`${first.name} is built again`, () => buildImage(buildah, first.name, bases, work))
  // Above them is Node's cache, which it does not make the same twice.
  first.image.layers.slice(0, -1).forEach(({ digest }, i) => {
    if (again.layers[i]?.digest !== digest) problems.push(`${first.name}: layer ${i + 1} has other bytes when it is built again`)
  })
  return laid as readonly Laid[]
}

async function inspect(laid: readonly Laid[], problems: string[]): Promise<void> {
  const inMb = (bytes: number) => (bytes / 1e6).toFixed(1)
  for (const { name, image, root } of laid) {
    const sizes = await Promise.all(image.layers.map(compressedSize))
    const total = sizes.reduce((sum, bytes) => sum + bytes, 0)
    process.stdout.write(`          ${name}: ${inMb(total)} MB compressed, by layer ${sizes.map(inMb).join(' + ')}\n`)
    for (const problem of [...configProblems(image, total), ...rootProblems(root)]) problems.push(`${name}: ${problem}`)
  }
}
