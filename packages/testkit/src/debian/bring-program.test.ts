import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { type BringOptions, bringDebianProgram } from './bring-program.ts'
import { programForTest } from './program-for-test.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse programs '))
})
after(() => rm(folder, { recursive: true, force: true }))

async function script(name: string, says: string): Promise<string> {
  const file = join(folder, name)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, `#!/bin/sh\n${says}\n`, { mode: 0o755 })
  return file
}

test('takes a program on PATH that is new enough', async () => {
  const file = await script('path/pgbouncer', 'echo PgBouncer 1.21.0')
  assert.deepEqual(await bringDebianProgram('pgbouncer', { path: dirname(file), cacheDir: join(folder, 'none') }), {
    path: file,
    version: '1.21.0',
  })
})

test('passes over an old one for one that was brought earlier, and over what does not run', async () => {
  const old = await script('old/kustomize', 'echo v4.5.7')
  await script('kept/kustomize-5.9.0+ds-1/usr/bin/kustomize', 'exit 127')
  const kept = await script('kept/kustomize-5.8.1+ds-1/usr/bin/kustomize', "echo '(devel)'")
  assert.deepEqual(await bringDebianProgram('kustomize', { path: dirname(old), cacheDir: join(folder, 'kept') }), {
    path: kept,
    version: '5.8.1+ds-1',
  })
})

const noMirror = 'E: Failed to fetch http://m.example/debian/dists/testing/InRelease  '
/** What an apt-get says to each of its commands, and whether there was anybody to ask. */
const failures = {
  'a name that nobody knows': { update: `${noMirror}Could not resolve 'm.example'`, outOfReach: true },
  'an address where nobody answers': {
    update: `${noMirror}Could not connect to m.example:80 (192.0.2.1), connection timed out`,
    outOfReach: true,
  },
  'no way out': {
    update: `${noMirror}Cannot initiate the connection to m.example:80 (2001:db8::1). - connect (101: Network is unreachable)`,
    outOfReach: true,
  },
  'a server that has no such suite': {
    update: "E: The repository 'http://m.example/debian testing Release' does not have a Release file.",
    outOfReach: false,
  },
  'a signature that nobody trusts': {
    update: "E: The repository 'http://m.example/debian testing InRelease' is not signed.",
    outOfReach: false,
  },
  'an archive without the program': { show: 'E: No packages found', outOfReach: false },
  'a connection that is lost halfway': {
    download: 'E: Failed to fetch http://m.example/debian/pool/k.deb  Could not connect to m.example:80',
    outOfReach: false,
  },
} as const

async function debianThat(
  name: string,
  { update = '', show = '', download = '' }: { update?: string; show?: string; download?: string },
): Promise<BringOptions> {
  const path = join(folder, name, 'path')
  const say = (words: string): string => (words === '' ? 'exit 0' : `cat >&2 <<'END'\n${words}\nEND\nexit 100`)
  await script(`${name}/path/apt-get`, `case "$*" in\n*update) ${say(update)}\n;;\n*) ${say(download)}\n;;\nesac`)
  await script(`${name}/path/apt-cache`, show === '' ? "echo 'Version: 5.8.1'" : say(show))
  await mkdir(join(folder, name, 'apt'), { recursive: true })
  await writeFile(join(folder, name, 'apt/sources.list'), 'deb http://m.example/debian trixie main\n')
  return { path: `${path}:/usr/bin:/bin`, aptFolder: join(folder, name, 'apt'), cacheDir: join(folder, name, 'cache') }
}

/** What becomes of a test that needs a program. */
async function testOf(options: BringOptions): Promise<string> {
  const said: (string | undefined)[] = []
  try {
    const program = await programForTest({ skip: (why) => void said.push(why) }, 'kustomize', options)
    return program ? 'runs' : `is left out: ${said.join()}`
  } catch (error) {
    return `fails: ${(error as Error).message}`
  }
}

for (const [name, { outOfReach, ...says }] of Object.entries(failures))
  test(`a test that needs a program ${outOfReach ? 'is left out' : 'fails'} by ${name}`, async () => {
    const options = await debianThat(name, says)
    const brought = await bringDebianProgram('kustomize', options)
    assert.ok(brought.path === undefined)
    assert.equal(brought.outOfReach, outOfReach, brought.why)
    assert.match(
      await testOf(options),
      outOfReach ? /^is left out: apt could not bring kustomize: Failed to fetch/ : /^fails: apt could not bring kustomize: /,
    )
  })

test('a test that needs a program is left out without apt, and without an archive of Debian, and runs with the program', async () => {
  const options = await debianThat('none', {})
  assert.match(
    await testOf({ ...options, path: join(folder, 'nowhere') }),
    /^is left out: apt could not bring kustomize: spawn apt-get ENOENT/,
  )
  assert.match(await testOf({ ...options, aptFolder: join(folder, 'nowhere') }), /^is left out: There is no kustomize on PATH/)
  const file = await script('there/kustomize', 'echo v5.8.1')
  assert.equal(await testOf({ ...options, path: dirname(file) }), 'runs')
})
