import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { routedServices } from './gateway-routes.ts'
import { build } from './kustomize.ts'
import { grpcRoute, httpRoute } from './route-files.ts'

/** `deploy/kubernetes`. */
export const home = fileURLToPath(new URL('..', import.meta.url))

/** What is applied, upgraded and taken back alone: a folder of an overlay. */
export interface RenderedUnit {
  readonly overlay: string
  readonly unit: string
}

const header = '# Rendered by `npm run render`: change what it was made of, not this.\n'

/** Every unit of every overlay: the folders that hold more than parts of others. */
export async function unitsOf(): Promise<readonly RenderedUnit[]> {
  const overlays = await readdir(join(home, 'overlays'))
  const units = await Promise.all(
    overlays.sort().map(async (overlay) => {
      const folders = await readdir(join(home, 'overlays', overlay), { withFileTypes: true })
      return folders
        .filter((each) => each.isDirectory() && each.name !== 'settings')
        .map((each) => ({ overlay, unit: each.name }))
        .sort((a, b) => a.unit.localeCompare(b.unit))
    }),
  )
  return units.flat()
}

/** Writes the routes that are read from the contracts. */
export async function writeRoutes(): Promise<void> {
  for (const name of routedServices) {
    const folder = join(home, 'components/gateway', name)
    await writeFile(join(folder, 'http-route.yaml'), httpRoute(name))
    await writeFile(join(folder, 'grpc-route.yaml'), grpcRoute(name))
  }
}

/** Renders every unit into `<target>/<overlay>/<unit>.yaml`, and nothing else stays there. */
export async function render(kustomize: string, target = join(home, 'rendered')): Promise<readonly RenderedUnit[]> {
  await rm(target, { recursive: true, force: true })
  const units = await unitsOf()
  for (const { overlay, unit } of units) {
    await mkdir(join(target, overlay), { recursive: true })
    const text = await build(kustomize, join(home, 'overlays', overlay, unit))
    await writeFile(join(target, overlay, `${unit}.yaml`), header + text)
  }
  return units
}
