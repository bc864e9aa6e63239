import { join } from 'node:path'
import { buildArguments, type ImageName, root } from '../build.ts'
import type { Buildah } from './buildah.ts'
import { type BuiltImage, imageIn, push } from './built-image.ts'
import { run } from './run.ts'

/** Builds an image as `npm run images -- build` does, but from bases of this machine, with pnpm and its store where the checkout has them: nothing is downloaded. */
export async function buildImage(
  buildah: Buildah,
  image: ImageName,
  bases: ReadonlyMap<string, string>,
  work: string,
): Promise<BuiltImage> {
  const tag = `localhost/${image}`
  // An overlay: what pnpm writes into its store while it reads there is dropped.
  const store = (await run('pnpm', ['store', 'path'], { cwd: root })).trim().replace(/\/v\d+$/, '')
  const mounts = ['--volume', `${store}:/pnpm-store:O`, '--volume', `${join(root, '.toolchain')}:/build/.toolchain:ro`]
  const told = buildArguments({ image, bases, tag, version: '0.0.0', revision: 'none' })
  const alone = ['--isolation', 'chroot', '--pull-never', '--timestamp', '0', '--ignorefile', 'deploy/images/Dockerfile.dockerignore']
  await buildah.call(['build', ...alone, ...mounts, ...told, '.'], root)
  const layout = join(work, 'layout')
  await push(buildah, image, layout)
  return (await imageIn(layout, image)) as BuiltImage
}
