import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { globSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type House, openHouse } from './house.ts'
import { seeExample } from './see-example.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../../', import.meta.url))
const tool = (name: string) => join(root, 'node_modules/.bin', name)

let house: House
before(async () => {
  house = await openHouse()
})
after(() => house[Symbol.asyncDispose]())

test("the README's example works in an empty folder, compiled against what the tarballs declare", async () => {
  await using folder = await emptyFolder()
  const tarballs = await packInto(join(folder.path, 'tarballs'))
  const { devDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { devDependencies: Record<string, string> }
  await writeFile(join(folder.path, 'package.json'), '{ "private": true, "type": "module" }')
  const nodeTypes = `@types/node@${devDependencies['@types/node']}`
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts', nodeTypes, ...tarballs], {
    cwd: folder.path,
  })
  await inspectInstalled(join(folder.path, 'node_modules'))

  await cp(join(root, 'packages/client/example.ts'), join(folder.path, 'example.ts'))
  await writeFile(join(folder.path, 'page.ts'), page)
  await writeFile(join(folder.path, 'tsconfig.json'), JSON.stringify({ compilerOptions: strictest, files: ['example.ts', 'page.ts'] }))
  await run(tool('tsc'), ['-p', '.'], { cwd: folder.path })
  await seeExample(house, { cwd: folder.path, program: 'example.js', name: 'Grace', email: 'grace@example.com' })
})

async function packInto(folder: string): Promise<string[]> {
  const { stdout } = await run(process.execPath, [join(root, 'scripts/packing/main.ts'), folder], { cwd: root })
  return stdout.trim().split('\n')
}

/** What came along: no source, nothing of this workspace, no server or database; and contracts that other languages can compile. */
async function inspectInstalled(modules: string): Promise<void> {
  const installed = globSync('{*,@*/*}', { cwd: modules })
  for (const heavy of ['fastify', 'kysely', 'pg', 'pino', '@bufbuild/protovalidate', '@connectrpc/connect-node'])
    assert.ok(!installed.includes(heavy), `${heavy} came along`)
  for (const name of ['contracts', 'client', 'web']) {
    const packed = join(modules, '@gatehouse', name)
    const files = globSync('**/*', { cwd: packed })
    assert.deepEqual(
      files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts')),
      name === 'client' ? ['example.ts'] : [],
    )
    for (const file of ['LICENSE', 'README.md', 'package.json']) assert.ok(files.includes(file), `${name} has no ${file}`)
    const manifest = await readFile(join(packed, 'package.json'), 'utf8')
    assert.doesNotMatch(manifest, /workspace:|"private"|\/src\//)
    for (const version of Object.values((JSON.parse(manifest) as { dependencies: Record<string, string> }).dependencies))
      assert.match(version, /^\d+\.\d+\.\d+$/)
  }
  await run(tool('buf'), ['build', join(modules, '@gatehouse/contracts/proto')])
}

async function emptyFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'gatehouse-consumer-'))
  await mkdir(join(path, 'tarballs'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** The declarations are checked too, ours and those that they bring. */
const strictest = {
  target: 'esnext',
  module: 'nodenext',
  lib: ['esnext', 'dom'],
  types: ['node'],
  strict: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
  skipLibCheck: false,
}

const page = `
import { createGatehouse, refusedOf } from '@gatehouse/web'

const gatehouse = createGatehouse({ origin: 'https://id.example.com' })
try {
  const { user } = await gatehouse.users.getCurrentUser({})
  const name: string | undefined = user?.name
  console.log(name, gatehouse.session.state)
} catch (error) {
  console.log(refusedOf(error).reason)
}
`
