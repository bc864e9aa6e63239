import { stderr, stdout } from 'node:process'
import { bringDebianProgram } from '@gatehouse/testkit'
import { render, writeRoutes } from './render.ts'

await writeRoutes()
stdout.write('components/gateway: the routes are those of the contracts\n')
const kustomize = await bringDebianProgram('kustomize', { log: (line) => void stdout.write(`${line}\n`) })
if (kustomize.path === undefined) {
  stderr.write(`Nothing was rendered. ${kustomize.why}\n`)
  process.exitCode = 1
} else for (const { overlay, unit } of await render(kustomize.path)) stdout.write(`rendered/${overlay}/${unit}.yaml\n`)
