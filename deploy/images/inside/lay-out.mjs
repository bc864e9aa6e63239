// Runs in the build stage, at the root of the sources: lays out in /out what the image of SERVICE holds.
//
//   dependencies/   node_modules as pnpm makes them, of production alone
//   sources/        the workspace as it is in a checkout. Node runs TypeScript, but not under node_modules: `pnpm deploy`, which puts workspace
//                   packages there, would make an image that cannot start
//   bill/           the bill of materials
//   cache/          an empty folder, for Node's compile cache
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { billOf } from './bill.mjs'
import { buildPages } from './pages.mjs'
import { pnpm } from './pnpm.mjs'
import { foldersOf, packageOf } from './workspace.mjs'

const services = ['user', 'auth', 'notification', 'console']
const service = process.env.SERVICE
if (!services.includes(service)) throw new Error(`SERVICE has to be one of ${services.join(', ')}, not ${service}`)
const out = process.env.OUT || '/out'
const name = packageOf(service)
const folders = foldersOf(name)
for (const folder of ['dependencies', 'sources', 'bill', 'cache/node']) mkdirSync(join(out, folder), { recursive: true })

// auth shows the console's page itself, where people sign in to other programs; its scripts come from the console's server.
if (service === 'auth' || service === 'console') {
  await buildPages(join(out, 'sources/packages/console/dist'), { onlyTheDocument: service === 'auth' })
  for (const folder of globSync('{.,{packages,services,deploy}/*}/node_modules')) rmSync(folder, { recursive: true, force: true })
}

await pnpm('install', '--prod', '--frozen-lockfile', '--filter-prod', `${name}...`)
await billOf(service, join(out, 'bill/sbom.cdx.json'))

for (const folder of ['.', ...folders]) {
  const installed = join(folder, 'node_modules')
  if (!existsSync(installed)) continue
  mkdirSync(join(out, 'dependencies', folder), { recursive: true })
  renameSync(installed, join(out, 'dependencies', installed))
}
// Notes of pnpm to itself, with times and paths in them, and scripts for a shell.
for (const left of globSync(join(out, 'dependencies/**/node_modules/{.modules.yaml,.pnpm-workspace-state-v1.json,.bin}')))
  rmSync(left, { recursive: true, force: true })

const isLeftOut = /(^|\/)(node_modules|dist|test|testdata|scripts|coverage|README\.md)$|\.test\.[a-z]+$/
for (const folder of folders) {
  cpSync(folder, join(out, 'sources', folder), { recursive: true, filter: (path) => !isLeftOut.test(path) })
}
if (service === 'console') cpSync('packages/contracts/openapi.json', join(out, 'sources/packages/contracts/openapi.json'))
for (const file of ['package.json', 'LICENSE']) cpSync(file, join(out, 'sources', file))
const main = service === 'console' ? 'deploy/console-server/src/main.ts' : `services/${service}/src/main.ts`
symlinkSync(main, join(out, 'sources/main.ts'))

for (const folder of ['dependencies', 'sources', 'bill', 'cache']) makePlain(join(out, folder))

/** The same modes and dates whoever cloned, whenever: a layer's digest then says what is in it and nothing else. */
function makePlain(path) {
  const found = lstatSync(path)
  if (found.isDirectory()) for (const each of readdirSync(path)) makePlain(join(path, each))
  if (!found.isSymbolicLink()) chmodSync(path, found.isDirectory() || found.mode & 0o100 ? 0o755 : 0o644)
  lutimesSync(path, 0, 0)
}
