import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { fromJson } from '@bufbuild/protobuf'
import { CreateClientRequestSchema } from '@gatehouse/contracts/gatehouse/auth/v1/client_service_pb'
import { compileRequestCheck } from '@gatehouse/rpc'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const read = (file: string) => readFileSync(join(root, file), 'utf8')

/** What is committed, or would be. */
const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root })
  .toString()
  .split('\0')
  .filter((file) => file !== '' && existsSync(join(root, file)))

const foldersOf = (parent: string) =>
  [...new Set(files.filter((file) => file.startsWith(`${parent}/`)).map((file) => file.split('/')[1] ?? ''))].sort()

const readme = read('README.md')

test('the example in the README is the one that runs', () => {
  const [, shown] = /<!-- example -->\n```ts\n(.*?)```\n<!-- \/example -->/s.exec(readme) ?? []
  const example = read('packages/client/example.ts')
  assert.equal(shown, example)
  assert.ok(example.trimEnd().split('\n').length < 40, 'it is under 40 lines')
})

test('every relative link leads to something that is there', () => {
  const pages = files.filter((file) => file.endsWith('.md'))
  assert.ok(pages.length > 10)
  const dead = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^[a-z]+:|^#/.test(target) && !existsSync(join(root, dirname(page), target.replace(/#.*/, ''))))
      .map((target) => `${page}: ${target}`),
  )
  assert.deepEqual(dead, [])
})

test('every test that a row of the security page names is there', () => {
  const { gone, named } = testsNamedBy('docs/security.md')
  assert.deepEqual(gone, [])
  assert.ok(named > 250, `${named} are named`)
})

test('every module of the conformance suite has its row once, and every test that a row names is there', () => {
  const { gone, named } = testsNamedBy('docs/oidc-conformance.md')
  assert.deepEqual(gone, [])
  assert.ok(named > 50, `${named} are named`)
  const modules = [...read('docs/oidc-conformance.md').matchAll(/^\| `(oidcc-[\w-]+)` \|/gm)].map(([, name]) => name)
  assert.deepEqual([modules.length, new Set(modules).size], [52, 52])
})

/** What the last column of a page's tables says of tests: a file, and after it names of tests in it. */
function testsNamedBy(page: string): { readonly gone: readonly string[]; readonly named: number } {
  const tests = files.filter((file) => /\.(test|ci)\.ts$/.test(file))
  const gone: string[] = []
  let named = 0
  for (const row of read(page)
    .split('\n')
    .filter((line) => line.startsWith('| '))) {
    let texts: string[] = []
    for (const [, code, name] of (row.split(' | ').at(-1) ?? '').matchAll(/`([^`]*)`|\*([^*]+)\*/g)) {
      if (code?.endsWith('.test.ts') || code?.endsWith('.ci.ts')) {
        const found = tests.filter((file) => file === code || file.endsWith(`/${code}`))
        if (found.length === 0) gone.push(code)
        texts = found.map((file) => read(file).replaceAll("\\'", "'"))
      } else if (code?.endsWith('.ts')) texts = []
      else if (name !== undefined && texts.length > 0) {
        named++
        // A long name may stand for itself by its beginning.
        const begun = name.replace(/…$/, '').trim()
        if (!texts.some((text) => text.includes(begun))) gone.push(name)
      }
    }
  }
  return { gone, named }
}

test('every npm command that a page names exists', () => {
  const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: object }).scripts)
  const unknown = files
    .filter((file) => file.endsWith('.md'))
    .flatMap((page) => [...read(page).matchAll(/\bnpm run (?:--silent )?([\w:-]+)/g)].map(([, name = '']) => `${page}: ${name}`))
    .filter((found) => !scripts.includes(found.split(': ')[1] ?? ''))
  assert.deepEqual(unknown, [])
})

test('the map in the README names the packages and the services that there are', () => {
  const map = /\n## The map\n+```\n(.*?)```/s.exec(readme)?.[1] ?? ''
  const below = (parent: string) => new RegExp(`^${parent}/\\n((?: .*\\n)+)`, 'm').exec(map)?.[1] ?? ''
  const packages = [...below('packages').matchAll(/^ {2}([\w-]+)\/ /gm)].map(([, name]) => name)
  const services = [...below('services').matchAll(/([\w-]+)\/ /g)].map(([, name]) => name)
  assert.deepEqual(packages.sort(), foldersOf('packages'))
  assert.deepEqual(services.sort(), foldersOf('services'))
})

test('every package and every service has a README', () => {
  const without = ['packages', 'services'].flatMap((parent) =>
    foldersOf(parent)
      .map((name) => `${parent}/${name}/README.md`)
      .filter((file) => !files.includes(file)),
  )
  assert.deepEqual(without, [])
})

test('every dependency has its line, and every line a dependency', () => {
  const used = new Set(files.filter((file) => /(^|\/)package\.json$/.test(file)).flatMap(dependenciesOf))
  // What Debian brings is in no package.json.
  const [packages = ''] = read('docs/dependencies.md').split('\n## Programs')
  const named = packages
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => namesIn(line.split('|')[1] ?? ''))
  const matches = (candidates: readonly string[], dependency: string) =>
    candidates.some((name) => name === dependency || (name.endsWith('/*') && dependency.startsWith(name.slice(0, -1))))
  assert.deepEqual(
    [...used].filter((dependency) => !named.some((candidates) => matches(candidates, dependency))),
    [],
    'without a line',
  )
  assert.deepEqual(
    named.filter((candidates) => ![...used].some((dependency) => matches(candidates, dependency))),
    [],
    'of no use',
  )
})

test('nothing that is committed speaks of the machine or the ticket that it was written on', () => {
  const local = /(?<![\w./:}-])\/(work|home|root|Users)\/[\w.]|\bissues? #\d/i
  const found = files
    .filter((file) => !/\.(binpb|woff2|png|ico)$/.test(file))
    .flatMap((file) =>
      read(file)
        .split('\n')
        .flatMap((line, at) => (local.test(line) ? [`${file}:${at + 1}: ${line.trim().slice(0, 160)}`] : [])),
    )
  assert.deepEqual(found, [])
})

function dependenciesOf(file: string): string[] {
  const manifest = JSON.parse(read(file)) as Record<string, Record<string, string> | undefined>
  return [manifest.dependencies, manifest.devDependencies, manifest.optionalDependencies].flatMap((group) =>
    Object.entries(group ?? {})
      .filter(([, version]) => !version.startsWith('workspace:'))
      .map(([name]) => name),
  )
}

/** The names in a cell; one without a scope may belong to the scope of the one before it. */
function namesIn(cell: string): string[][] {
  let scope = ''
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => {
    if (name.startsWith('@')) {
      scope = name.split('/')[0] ?? ''
      return [name]
    }
    return scope === '' ? [name] : [name, `${scope}/${name}`]
  })
}

test('every client of a recipe is one that the contract takes', () => {
  const problems: string[] = []
  const check = compileRequestCheck(CreateClientRequestSchema, problems)
  const recipes = [...read('docs/oidc.md').matchAll(/clients create ([a-z-]+) '([^']+)'/g)]
  assert.ok(recipes.length >= 7)
  for (const [, clientId = '', settings = ''] of recipes)
    check(fromJson(CreateClientRequestSchema, { clientId, settings: JSON.parse(settings) }))
  assert.deepEqual(problems, [])
})
