import { env, stdout } from 'node:process'
import { isKustomize } from './kustomize.ts'
import { render, writeRoutes } from './render.ts'

const kustomize = env.KUSTOMIZE ?? 'kustomize'
await writeRoutes()
stdout.write('components/gateway: the routes are those of the contracts\n')
if (await isKustomize(kustomize))
  for (const { overlay, unit } of await render(kustomize)) stdout.write(`rendered/${overlay}/${unit}.yaml\n`)
else {
  stdout.write(`${kustomize} is no kustomize of 5.0 or newer: nothing was rendered. KUSTOMIZE=/path/to/kustomize names one.\n`)
  process.exitCode = 1
}
